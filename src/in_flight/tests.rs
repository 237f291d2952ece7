//! Alice has too much in flight; Bob notices nothing.

use std::{future::Future, pin::pin};

use bytes::Bytes;
use futures_util::{FutureExt as _, poll};
use http_body_util::{BodyExt as _, Full};
use tokio::time::{Duration, Instant};

use super::*;

async fn place_of(in_flight: &Arc<InFlight>, user: &str) -> Place {
    let place = in_flight.place();
    place.take(user).await.unwrap();
    place
}

/// Reads an answer as hyper does, and keeps what it read, as a client does that takes nothing.
async fn unread(place: &Place, bytes: usize) -> Bytes {
    let body = Full::new(Bytes::from(vec![b'x'; bytes]));
    let Ok(mut body) = place.answer(body) else {
        panic!("the answer does not count");
    };
    body.frame().await.unwrap().unwrap().into_data().unwrap()
}

/// Whether it is ready without waiting.
async fn is_ready<T>(future: impl Future<Output = T>) -> bool {
    let mut future = pin!(future);
    poll!(future.as_mut()).is_ready()
}

#[tokio::test(start_paused = true)]
async fn a_read_waits_for_its_turn_behind_those_of_the_same_user_only() {
    let in_flight = Arc::new(InFlight::default());
    let (alice, bob) = (
        place_of(&in_flight, "alice").await,
        place_of(&in_flight, "bob").await,
    );
    let search = alice.turn(Kind::AllTexts).await.unwrap();
    let second = place_of(&in_flight, "alice").await;
    let mut waiting = pin!(second.turn(Kind::AllTexts));
    assert!(poll!(waiting.as_mut()).is_pending());
    assert!(is_ready(bob.turn(Kind::AllTexts)).await);
    assert!(
        is_ready(alice.turn(Kind::Page)).await,
        "a page is no search"
    );
    drop(search);
    drop(waiting.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn who_has_waited_for_fifteen_seconds_is_refused() {
    let in_flight = Arc::new(InFlight::default());
    let alice = place_of(&in_flight, "alice").await;
    let _search = alice.turn(Kind::AllTexts).await.unwrap();
    let began = Instant::now();
    let second = place_of(&in_flight, "alice").await;
    assert_eq!(second.turn(Kind::AllTexts).await.unwrap_err(), Crowded);
    assert_eq!(began.elapsed().as_secs(), 15);
    // The time is that of the request, not of each of its waits.
    assert!(
        second
            .turn(Kind::AllTexts)
            .now_or_never()
            .is_some_and(|turn| turn.is_err())
    );
}

#[tokio::test(start_paused = true)]
async fn a_user_has_64_requests_under_way() {
    let in_flight = Arc::new(InFlight::default());
    let mut places = Vec::new();
    for _ in 0..MAX_REQUESTS {
        places.push(place_of(&in_flight, "alice").await);
    }
    let one_more = in_flight.place();
    let mut waiting = pin!(one_more.take("alice"));
    assert!(poll!(waiting.as_mut()).is_pending());
    assert!(is_ready(in_flight.place().take("bob")).await);
    places.pop();
    waiting.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_not_taken_hold_up_their_user_alone() {
    let in_flight = Arc::new(InFlight::default());
    let alice = place_of(&in_flight, "alice").await;
    let answers = [
        unread(&alice, MAX_USER_BYTES / 2).await,
        unread(&alice, MAX_USER_BYTES / 2 + 1).await,
    ];
    let next = in_flight.place();
    let mut waiting = pin!(next.take("alice"));
    assert!(poll!(waiting.as_mut()).is_pending());
    assert!(is_ready(in_flight.place().take("bob")).await);
    drop(answers);
    waiting.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_page_waits_for_room_for_as_much_as_the_largest_had() {
    let in_flight = Arc::new(InFlight::default());
    let alice = place_of(&in_flight, "alice").await;
    let answer = unread(&alice, MAX_USER_BYTES / 2 + 1).await;
    // A task needs no such room.
    assert!(is_ready(alice.turn(Kind::Tasks)).await);
    let mut waiting = pin!(alice.turn(Kind::Page));
    assert!(poll!(waiting.as_mut()).is_pending());
    drop(answer);
    drop(waiting.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_body_counts_until_it_is_dropped_and_a_small_one_does_not() {
    let in_flight = Arc::new(InFlight::default());
    let alice = place_of(&in_flight, "alice").await;
    let body = alice.body(MAX_USER_BYTES).await.unwrap();
    assert!(alice.body(SMALL).await.unwrap().is_none());
    let mut other = pin!(alice.body(SMALL + 1));
    assert!(poll!(other.as_mut()).is_pending());
    drop(body);
    assert!(other.await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn when_all_users_together_hold_much_those_that_hold_little_go_on() {
    let in_flight = Arc::new(InFlight::default());
    let mut answers = Vec::new();
    for user in 0..9 {
        let place = place_of(&in_flight, &format!("mallory {user}")).await;
        answers.push(unread(&place, MAX_USER_BYTES - 1).await);
    }
    let alice = place_of(&in_flight, "alice").await;
    let _little = unread(&alice, MIN_USER_BYTES / 2).await;
    assert!(is_ready(in_flight.place().take("alice")).await);
    let late = in_flight.place();
    let mut waiting = pin!(late.take("mallory 1"));
    assert!(poll!(waiting.as_mut()).is_pending());
    // Another one's, too, makes room.
    answers.truncate(7);
    waiting.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_user_with_nothing_in_flight_is_forgotten() {
    let in_flight = Arc::new(InFlight::default());
    let alice = place_of(&in_flight, "alice").await;
    drop(place_of(&in_flight, "bob").await);
    in_flight.forget_idle();
    let users = in_flight.users.lock().unwrap();
    assert_eq!(
        users.keys().map(AsRef::as_ref).collect::<Vec<&str>>(),
        ["alice"]
    );
    drop(alice);
}

#[tokio::test(start_paused = true)]
async fn the_next_part_of_an_answer_waits_longer_than_a_client_may_take_nothing() {
    let in_flight = Arc::new(InFlight::default());
    let alice = place_of(&in_flight, "alice").await;
    let answer = unread(&alice, MAX_USER_BYTES).await;
    let part = alice.next_turn(Kind::Page);
    let cut = async {
        tokio::time::sleep(Duration::from_secs(30)).await;
        drop(answer);
    };
    let (part, ()) = tokio::join!(part, cut);
    drop(part.unwrap());
}
