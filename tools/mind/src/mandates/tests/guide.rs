//! The page about authority does what it says: each block of JSON is a call, or the answer to the one
//! before it, as far as the page shows it.

use super::*;

const PAGE: &str = include_str!("../../../../../docs/authority.md");

/// The fenced blocks of JSON: what stands behind the word `json`, and what is in it.
fn blocks() -> Vec<(&'static str, Value)> {
    let fenced = PAGE.split("```json ").skip(1).filter_map(|rest| rest.split_once("\n```"));
    let read = |(block, _): (&'static str, _)| {
        let (title, json) = block.split_once('\n').unwrap();
        (title, serde_json::from_str(json).unwrap())
    };
    fenced.map(read).collect()
}

#[tokio::test]
async fn the_guide_does_what_it_says() {
    let room = room().await;
    let mut answer = Value::Null;
    let mut compared = 0;
    for (title, json) in blocks() {
        if title != "answer" {
            answer = room.answer(title, json).await;
            assert!(answer.get("warnings").is_none(), "{answer}");
            continue;
        }
        for (field, expected) in json.as_object().unwrap() {
            assert_eq!(&answer[field], expected, "{field} of {answer}");
        }
        compared += 1;
    }
    assert_eq!(compared, 9);
}
