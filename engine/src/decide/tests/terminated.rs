use super::rejected::told;
use super::*;
use crate::modification::{Instruction, Which};

/// Starts `notation`, ends the youngest instance of `element` from outside, and gives the ids of what
/// is there then.
fn without(notation: &str, element: &str) -> Vec<String> {
    let definition = definition(notation);
    let instance = told(&definition, &Instance::new("i"), start()).unwrap();
    let youngest = instance.elements().filter(|(_, it)| &*it.element == element).last();
    let (key, _) = youngest.unwrap();
    let instructions = vec![Instruction::Terminate { which: Which::One(key) }];
    let modify = Command::Modify { instructions, reason: None };
    let after = told(&definition, &instance, modify).unwrap();
    after.elements().map(|(_, element)| element.element.to_string()).collect()
}

#[test]
fn what_goes_on_after_an_element_is_ended() {
    for (element, expected) in [
        ("job work\nloop work while true", &["next"][..]),
        ("job work\neach work [1, 2] as item sequential", &["work", "work"]),
        ("adhoc work begin [\"a\", \"a\"]\nin work user a", &[]),
    ] {
        let notation = format!("start s\n{element}\nuser next\nend e\ns -> work -> next -> e");
        assert_eq!(without(&notation, "work"), expected, "{element}");
    }
    let inside = "
        start s
        adhoc some begin [\"a\", \"b\"] sequential
        in some user a
        in some user b
        user next
        end e
        s -> some -> next -> e";
    assert_eq!(without(inside, "a"), ["some", "b"]);
}
