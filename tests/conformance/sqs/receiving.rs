//! What a receiver gets, and when it comes again.

use std::time::Duration;

use aws_sdk_sqs::types::MessageSystemAttributeName as Name;

use crate::aws::Aws;
use crate::documents::{sqs_api, sqs_guide};
use crate::queue::{HIDDEN, attribute, bodies, receipt};
use crate::rule::{Checked, Rule, holds, refused, rule, same, some};

const RECEIVE: &str = sqs_api!("ReceiveMessage");
const VISIBILITY: &str = sqs_guide!("sqs-visibility-timeout");
const CHANGE: &str = sqs_api!("ChangeMessageVisibility");

pub(crate) const RULES: &[Rule] = &[
    rule!(an_empty_queue_answers_at_once, "A short poll of an empty queue answers without messages", RECEIVE),
    rule!(a_received_message_is_hidden, "A received message is hidden until its visibility time-out", VISIBILITY),
    rule!(
        a_message_that_is_not_deleted_comes_again,
        "A message that was not deleted comes again after its visibility time-out, with its id",
        VISIBILITY
    ),
    rule!(receives_are_counted, "`ApproximateReceiveCount` is 1 at first, and one more each time", RECEIVE),
    rule!(a_receiver_may_set_its_own_time_out, "`VisibilityTimeout` of a receive stands for the queue's", RECEIVE),
    rule!(a_receive_brings_at_most_ten, "`MaxNumberOfMessages` may be 1 to 10, not 11 and not 0", RECEIVE),
    rule!(a_receive_brings_no_more_than_asked, "A receive brings no more messages than asked for", RECEIVE),
    rule!(a_hidden_message_can_be_shown_at_once, "`ChangeMessageVisibility` to 0 shows a message at once", CHANGE),
    rule!(a_hidden_message_can_stay_hidden, "`ChangeMessageVisibility` lengthens the time", CHANGE),
    rule!(
        a_message_is_hidden_for_12_hours_at_most,
        "A message may be hidden for 43,200 seconds, and not 43,201",
        CHANGE
    ),
    rule!(
        a_long_poll_answers_when_a_message_comes,
        "A long poll answers as soon as a message comes",
        sqs_guide!("sqs-short-and-long-polling"),
        live: true
    ),
    rule!(a_long_poll_lasts_20_seconds_at_most, "`WaitTimeSeconds` may be 20, and not 21", RECEIVE),
    rule!(
        a_message_says_when_it_was_sent,
        "`SentTimestamp` and `ApproximateFirstReceiveTimestamp` are given in milliseconds",
        RECEIVE
    ),
];

async fn an_empty_queue_answers_at_once(aws: &Aws) -> Checked {
    aws.nothing_comes(&aws.queue().await?).await
}

async fn a_received_message_is_hidden(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    aws.send(&queue, "x").send().await?;
    aws.one(&queue).await?;
    aws.nothing_comes(&queue).await
}

async fn a_message_that_is_not_deleted_comes_again(aws: &Aws) -> Checked {
    let queue = aws.forgetful_queue().await?;
    aws.send(&queue, "x").send().await?;
    let first = aws.one(&queue).await?;
    aws.nothing_comes(&queue).await?;
    aws.pass(HIDDEN).await;
    let second = aws.one(&queue).await?;
    holds(first.message_id() == second.message_id(), "another id")
}

async fn receives_are_counted(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    aws.send(&queue, "x").send().await?;
    for count in ["1", "2", "3"] {
        let message = aws.one(&queue).await?;
        same("count", attribute(&message, Name::ApproximateReceiveCount), Some(count))?;
        show(aws, &queue.url, &receipt(&message), 0).await?;
    }
    Ok(())
}

async fn show(aws: &Aws, url: &str, receipt: &str, seconds: i32) -> Checked {
    let change = aws.sqs.change_message_visibility().queue_url(url).receipt_handle(receipt);
    change.visibility_timeout(seconds).send().await?;
    Ok(())
}

async fn a_receiver_may_set_its_own_time_out(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    aws.send(&queue, "x").send().await?;
    let seconds = i32::try_from(HIDDEN).expect("small");
    // A first look may come too early for AWS.
    let mut came = 0;
    for _ in 0..aws.patience() {
        came = aws.ask(&queue).visibility_timeout(seconds).send().await?.messages().len();
        if came > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    same("messages", came, 1)?;
    aws.nothing_comes(&queue).await?;
    aws.pass(HIDDEN).await;
    aws.one(&queue).await.map(drop)
}

async fn a_receive_brings_at_most_ten(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    aws.ask(&queue).max_number_of_messages(10).send().await?;
    for count in [0, 11] {
        refused(aws.ask(&queue).max_number_of_messages(count).send().await, &[])?;
    }
    Ok(())
}

async fn a_receive_brings_no_more_than_asked(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    for n in 0..5 {
        aws.send(&queue, n.to_string()).send().await?;
    }
    let came = aws.ask(&queue).max_number_of_messages(3).send().await?.messages().len();
    holds(came <= 3, format!("{came} of 3 messages"))?;
    aws.gather(&queue, 5 - came).await.map(drop)
}

async fn a_hidden_message_can_be_shown_at_once(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    aws.send(&queue, "x").send().await?;
    let message = aws.one(&queue).await?;
    show(aws, &queue.url, &receipt(&message), 0).await?;
    aws.one(&queue).await.map(drop)
}

async fn a_hidden_message_can_stay_hidden(aws: &Aws) -> Checked {
    let queue = aws.forgetful_queue().await?;
    aws.send(&queue, "x").send().await?;
    let message = aws.one(&queue).await?;
    show(aws, &queue.url, &receipt(&message), 600).await?;
    aws.pass(HIDDEN).await;
    aws.nothing_comes(&queue).await
}

async fn a_message_is_hidden_for_12_hours_at_most(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    aws.send(&queue, "x").send().await?;
    let message = aws.one(&queue).await?;
    let change = |seconds: i32| {
        let change = aws.sqs.change_message_visibility().queue_url(&queue.url).receipt_handle(receipt(&message));
        change.visibility_timeout(seconds).send()
    };
    refused(change(43_201).await, &[])?;
    // The whole time counts from the receive: a moment less is left of it.
    change(43_100).await?;
    Ok(())
}

async fn a_long_poll_answers_when_a_message_comes(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    let poll = aws.ask(&queue).wait_time_seconds(20).send();
    let send = async {
        // The poll is to be there first.
        tokio::time::sleep(Duration::from_millis(300)).await;
        aws.send(&queue, "x").send().await
    };
    let both = async { tokio::join!(poll, send) };
    let Ok((polled, sent)) = tokio::time::timeout(Duration::from_secs(15), both).await else {
        return Err(crate::rule::Wrong::Otherwise("it waits for its end".to_owned()));
    };
    sent?;
    same("bodies", bodies(polled?.messages()), ["x"])
}

async fn a_long_poll_lasts_20_seconds_at_most(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    aws.send(&queue, "x").send().await?;
    aws.ask(&queue).wait_time_seconds(20).send().await?;
    refused(aws.ask(&queue).wait_time_seconds(21).send().await, &[])
}

async fn a_message_says_when_it_was_sent(aws: &Aws) -> Checked {
    let queue = aws.queue().await?;
    aws.send(&queue, "x").send().await?;
    let message = aws.one(&queue).await?;
    let millis = |name: Name| attribute(&message, name).and_then(|text| text.parse::<i64>().ok());
    let sent = some("SentTimestamp", millis(Name::SentTimestamp))?;
    let received = some("ApproximateFirstReceiveTimestamp", millis(Name::ApproximateFirstReceiveTimestamp))?;
    holds(sent > 1_600_000_000_000 && received >= sent, "times that are none")
}
