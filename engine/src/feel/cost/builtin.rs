//! What the built-in functions cost and give (DMN 1.5 §10.3.4). Those that are not named here take
//! and give no more than their arguments are large, and a number that may be any.

use super::bound::Bound;

/// The work of a call, and the bound of its result; `all` are the arguments together.
pub(super) fn call(name: &str, arguments: &[Bound], all: Bound) -> (f64, Bound) {
    let first = arguments.first().copied().unwrap_or(Bound::ONE);
    let largest = all.largest();
    let anything = Bound::UNKNOWN_NUMBER.sized(all.total);
    let result = match name {
        "count" => Bound::ONE.between(0.0, first.len.max(first.item)),
        "string length" => Bound::ONE.between(0.0, all.total * 64.0),
        "sum" => {
            let most = largest * all.total;
            Bound::ONE.between(-most, most)
        }
        "min" | "max" | "mean" | "median" => Bound::ONE.between(all.lo, all.hi),
        "abs" | "floor" | "ceiling" | "decimal" | "modulo" | "round up" | "round down"
        | "round half up" | "round half down" => Bound::ONE.between(-largest - 1.0, largest + 1.0),
        "date" if arguments.len() == 1 => Bound::ONE.between(first.lo, first.hi),
        "date and time" | "time" | "duration" | "number" | "product" | "sqrt" | "exp" | "log" => {
            Bound::UNKNOWN_NUMBER
        }
        "contains" | "starts with" | "ends with" | "list contains" | "all" | "any" | "is"
        | "is defined" | "odd" | "even" => Bound::ONE,
        "sublist" | "reverse" | "remove" | "sort" | "append" | "concatenate" | "insert before"
        | "list replace" => all,
        "flatten" | "get value" | "get entries" => all.part(),
        "distinct values" | "union" | "mode" | "duplicate values" => {
            // Every item is compared with every other; comparing is cheaper than copying.
            return (all.len.max(all.item) * all.total / 8.0, all);
        }
        "index of" => Bound { hi: all.total, lo: 0.0, ..all },
        "split" => {
            let pieces = all.total * 64.0;
            Bound { len: pieces, item: all.total, total: pieces, lo: 0.0, hi: 0.0 }
        }
        // Every letter may become the replacement.
        "replace" => Bound::ONE.sized(all.total * all.total * 64.0),
        _ => Bound { len: all.total, ..anything },
    };
    let work = match name {
        "matches" | "replace" | "split" => all.total * all.total,
        _ => all.total,
    };
    (work, result)
}
