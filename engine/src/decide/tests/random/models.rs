//! The processes that the random commands are given to: together they have every element.

pub(super) const MODELS: &[&str] = &[
    "
    start s
    script calc total = n * 2
    user approve
    on approve ~remind timer R3/PT1H
    on approve late timer PT5H
    policy approve on complete condition actor.id != \"eve\"
    exclusive x
    end e
    end r
    s -> calc -> approve -> x
    x -> calc if again
    x -> e default
    remind -> r
    late -> r",
    "
    start s
    inclusive split
    user a
    job b
    on b failed error *
    receive c note
    inclusive join
    send tell news key n
    parallel fork
    user d
    user f
    parallel sync
    end e
    s -> split
    split -> a if n > 0
    split -> b if n > 1
    split -> c default
    a -> join
    b -> join
    c -> join
    failed -> join
    join -> tell -> fork
    fork -> d -> sync -> e
    fork -> f -> sync",
    "
    start s
    sub inner
    each inner items as item into out from r
    on inner stop signal stop
    on inner ~up escalation *
    in inner start is
    in inner events g
    in inner catch t timer PT2H
    in inner catch m message note
    in inner job work
    in inner end ie
    is -> g -> t -> work -> ie
    g -> m -> work
    call child other
    on child lost error *
    end e
    end stopped
    end heard
    s -> inner -> child -> e
    stop -> stopped
    up -> heard
    lost -> stopped
    handler watch
    in watch ~start ws message note
    in watch user look
    ws -> look
    handler halt
    in halt start hs error *
    in halt user clean
    hs -> clean",
    "
    start s
    user many
    each many items as item into out from answer until numberOfCompletedInstances >= 2 sequential
    sub scope
    in scope start ss
    in scope parallel f
    in scope user p
    in scope end quit terminate
    in scope job q
    ss -> f -> p -> quit
    f -> q
    end e error BOOM
    s -> many -> scope -> e",
    "
    start s
    catch again link again
    user work
    exclusive x
    throw back link again
    sub inner
    in inner start is
    in inner throw go link again
    in inner catch come link again
    in inner job last
    on inner stop signal stop
    end e
    end stopped
    is -> go
    come -> last
    s -> work
    again -> work -> x
    x -> back if again
    x -> inner default
    inner -> e
    stop -> stopped",
    "
    start s
    sub inner
    each inner items as item
    on inner ~low when n < 1
    output low n = 2
    on inner high when again
    in inner start is
    in inner events g
    in inner catch one when n = 1
    in inner catch late timer PT1H
    in inner user work
    in inner end ie
    is -> g -> one -> work -> ie
    g -> late -> work
    catch odd when r
    end e
    s -> inner -> odd -> e
    low -> e
    high -> e
    handler watch
    in watch ~start two when n = 2
    in watch user look
    two -> look
    handler halt
    in halt start three when r > 200
    in halt job clean
    three -> clean",
    "
    start s
    sub trip
    each trip items as item
    on trip lost error *
    in trip start ts
    in trip job flight
    undo flight job refund
    in trip user hotel
    undo hotel sub cancel-hotel
    in cancel-hotel start cs
    in cancel-hotel user call-them
    in trip exclusive tx
    in trip throw part undo hotel
    in trip end te
    in trip handler watch
    in watch ~start ws signal stop
    in watch throw all undo &
    in watch end we
    ts -> flight -> hotel -> tx
    tx -> part if again
    tx -> te default
    part -> flight
    ws -> all -> we
    cs -> call-them
    sub deep
    in deep start ds
    in deep job inner
    undo inner job undo-inner
    in deep handler back
    in back start bs undo
    in back throw again undo
    in back user look
    bs -> again -> look
    ds -> inner
    user ask
    on ask ~early escalation *
    exclusive x
    throw everything undo
    end e undo trip
    end l
    s -> trip -> deep -> ask -> x
    x -> everything if again
    x -> e default
    everything -> deep
    lost -> everything
    early -> l",
    "
    start s
    transaction book
    each book 2 times
    on book cancelled cancel
    on book broken error *
    in book start bs
    in book parallel fork
    in book user pay
    undo pay job refund
    in book sub seat
    in seat start ss
    in seat job hold
    undo hold job release
    in seat user confirm
    ss -> hold -> confirm
    in book exclusive x
    in book end no cancel
    in book end yes
    bs -> fork
    fork -> pay -> x
    fork -> seat -> x
    x -> no if again
    x -> yes default
    user after
    end e undo
    s -> book -> after -> e
    cancelled -> after
    broken -> e",
    "
    instantiate events g all
    catch order message order key n
    catch note message note
    receive paid paid key n
    sub inner
    on inner ~both signal stop & when n > 1 & timer PT1H
    on inner any error * | timer PT9H | signal other
    in inner start is
    in inner job work
    in inner throw all signal stop | escalation L
    in inner catch either message order key n | when again | timer PT2H
    in inner end ie signal other | error E
    is -> work -> all -> either -> ie
    end e
    end b
    g -> order -> inner -> e
    g -> note -> inner
    g -> paid -> inner
    both -> b
    any -> b
    handler watch
    in watch ~start ws escalation * | message note key 1
    in watch user look
    ws -> look
    handler back
    in back start bs signal stop & signal other
    in back user halt
    bs -> halt",
    "
    instantiate receive first go
    instantiate events h
    catch second message go | signal go
    catch third timer PT1H
    user work
    on work late signal stop & timer PT1H
    undo work user unwork
    end e signal stop | undo
    first -> work -> e
    h -> second -> work
    h -> third -> work
    late -> e",
    "
    start s
    inclusive split
    user a
    on a ~nudge timer PT1H
    job b
    on b failed error *
    user c
    complex join activationCount >= n
    exclusive more
    user late
    user last
    end e
    s -> split
    split -> a if n > 0
    split -> b if n > 1
    split -> c default
    nudge -> join
    failed -> join
    a -> join
    b -> join
    c -> join
    join -> more if waitingForStart
    join -> late if r > 100
    late -> e
    more -> split if again
    more -> last default
    last -> e",
    "
    start s
    user work
    loop work while again max 4
    on work late timer PT3H
    sub inner
    loop inner before while loopCounter < n
    in inner start is
    in inner script calc r = loopCounter
    loop calc max 3
    in inner job step
    is -> calc -> step
    end e
    s -> work -> inner -> e
    late -> e",
    "
    start s
    adhoc checks begin items until again into out from r keeping
    on checks stop signal stop
    in checks user a
    each a [1, 2] as item
    in checks job b
    in checks parallel sync
    in checks user c
    in checks catch note message note
    in checks handler watch
    in watch ~start ws message note
    in watch user look
    ws -> look
    a -> sync
    b -> sync
    sync -> c
    note -> c
    adhoc turns begin [\"d\"] until r > 200 sequential
    in turns user d
    in turns user f
    in turns sub g
    in g start gs
    in g job gj
    gs -> gj
    d -> f
    d -> g
    adhoc free sequential
    loop free while again
    in free user h
    in free user i
    h -> i
    end e
    s -> checks -> turns -> free -> e
    stop -> turns",
    "
    start s
    adhoc desk by clerk until r > 200 keeping
    on desk stop signal stop
    undo desk job undesk
    in desk user ask
    each ask [1, 2] as item
    in desk job look
    on look ~off timer PT1H
    in desk adhoc shelf by boy sequential
    in shelf user take
    in shelf script put r = n
    take -> put
    in desk user then
    ask -> then
    user after
    end e
    s -> desk -> after -> e
    stop -> after",
    "
    start s
    user first
    loop first while again max 3
    undo first user unfirst
    adhoc free until r > 200 into out from r
    in free user h
    undo h user unh
    in free user i
    loop i while again max 2
    undo i job uni
    in free throw back undo
    in free handler watch
    in watch ~start ws signal stop
    in watch throw all undo &
    ws -> all
    h -> back
    complex join activationCount >= 1
    user last
    end e undo
    s -> first -> free -> join
    s -> last -> join
    end f
    join -> e if waitingForStart
    join -> f default",
    "
    start s message note key n & signal stop & when r > 1
    user a
    quantity a 1 2
    each a items as item into out from r
    behavior a complex numberOfCompletedInstances = 1 => escalation FIRST; r > 2 => signal stop
    on a ~first escalation *
    on a ~stopped signal stop
    on a over timer PT1H
    completes over
    user b
    quantity b 2 1
    section b desk
    sub c
    section c desk
    undo c job unc
    in c start cs
    in c user d
    cs -> d
    parallel join
    user keep
    cancels keep b c join
    catch idle when not(list contains(activeElements, \"b\")) and r > 0
    end e
    s -> a -> b -> join
    a -> c -> join
    s -> keep -> e
    s -> idle -> e
    first -> c
    stopped -> b
    join -> e",
];
