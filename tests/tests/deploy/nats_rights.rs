//! What each user of `deploy/nats` may do, and that nothing is lost with a server.

#[cfg(test)]
mod tests {
    use balance_events::envelope::Envelope;
    use serde_json::{Value, json};
    use tallyhook_tests::{
        home::{CONFIG, Home, SOURCE},
        nats::{STREAM, gapless, session::Session},
        paddle::Purchase,
        server::{Server, run},
        wait::{self, LONG},
    };

    use crate::{
        nats::{Servers, Users, as_subscriber},
        place::said,
    };

    const BALANCE: &str = "tallyhook.balances.main.alice";

    fn buy(server: &Server, numbers: std::ops::Range<u64>) {
        for number in numbers {
            let account = format!("joe{}", number % 3);
            let purchase = Purchase { number, account, cents: 100 };
            let answer = server.deliver(SOURCE, &purchase.delivery().unwrap()).unwrap();
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    }

    /// What a subscriber reads from the first event on.
    fn read(home: &Home, events: u64) -> Vec<Envelope> {
        let limit = events.to_string();
        let all = ["tail", "--config", CONFIG, "--since", "start", "--json", "--limit", &limit];
        let output = as_subscriber(home, &all).unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| Envelope::from_json(line.as_bytes()).unwrap()).collect()
    }

    fn whole(home: &Home, observer: &Session, events: u64) {
        let seen = read(home, events);
        assert_eq!(seen.len(), usize::try_from(events).unwrap());
        gapless(&seen).unwrap();
        assert_eq!(observer.state().unwrap()["messages"], json!(events));
    }

    /// `/readyz` answers 503 with these words.
    fn is_unready(server: &Server, words: &str) {
        wait::until(&format!("/readyz to say {words:?}"), || {
            let answer = server.get("/readyz").ok().filter(|answer| answer.status == 503)?;
            answer.text().contains(words).then_some(())
        })
        .unwrap();
    }

    #[test]
    fn a_subscriber_reads_and_changes_nothing() {
        let servers = Servers::one(&[], None).unwrap();
        let home = servers.home("").unwrap();
        let server = Server::start(&home).unwrap();
        buy(&server, 0..6);
        server.ready().unwrap();
        let subscriber = servers.session(&servers.users.subscriber).unwrap();
        whole(&home, &subscriber, 6);

        let config = subscriber.stream("STREAM.INFO", &Value::Null).unwrap()["config"].clone();
        let nothing = Value::Null;
        for (what, body) in [
            ("STREAM.PURGE", &nothing),
            ("STREAM.DELETE", &nothing),
            ("STREAM.UPDATE", &config),
            ("STREAM.CREATE", &config),
            ("STREAM.MSG.DELETE", &json!({"seq": 1})),
            ("STREAM.SNAPSHOT", &json!({"deliver_subject": "_INBOX.x"})),
            ("STREAM.LEADER.STEPDOWN", &nothing),
        ] {
            let refused = subscriber.stream(what, body).unwrap_err().to_string();
            let expected =
                format!("Permissions Violation for Publish to \"$JS.API.{what}.{STREAM}\"");
            assert_eq!(refused, expected);
        }
        let ingest = servers.session(&servers.users.ingest).unwrap();
        for user in [&subscriber, &ingest] {
            let refused =
                user.publish(BALANCE, &json!({"available": "1"})).unwrap_err().to_string();
            assert!(refused.contains("Permissions Violation"), "{refused}");
        }
        whole(&home, &subscriber, 6);
    }

    /// A push consumer has the broker itself send messages, wherever its maker likes.
    #[test]
    fn a_subscriber_has_the_broker_do_nothing_in_its_place() {
        let servers = Servers::one(&[], None).unwrap();
        let home = servers.home("").unwrap();
        let server = Server::start(&home).unwrap();
        buy(&server, 0..3);
        server.ready().unwrap();
        let subscriber = servers.session(&servers.users.subscriber).unwrap();
        let make = |target: &str, headers_only: bool| {
            let config = json!({"stream_name": STREAM, "config": {"deliver_subject": target,
                "deliver_policy": "all", "ack_policy": "none", "replay_policy": "instant",
                "headers_only": headers_only}});
            subscriber.ask(&format!("$JS.API.CONSUMER.CREATE.{STREAM}"), &config).unwrap()
        };
        let refused = make(BALANCE, false);
        assert_eq!(refused["error"]["description"], "consumer deliver subject forms a cycle");
        // The broker makes these consumers; its API does not listen to what they send.
        let mut made = Vec::new();
        for what in ["STREAM.PURGE", "STREAM.DELETE"] {
            for headers_only in [false, true] {
                let consumer = make(&format!("$JS.API.{what}.{STREAM}"), headers_only);
                let name = consumer["name"].as_str().unwrap_or_default().to_owned();
                assert!(!name.is_empty(), "{what}: {consumer}");
                made.push(format!("$JS.API.CONSUMER.INFO.{STREAM}.{name}"));
            }
        }
        for info in made {
            wait::until("all messages to be sent", || {
                let told = subscriber.ask(&info, &Value::Null).ok()?;
                // One whose receiver is not there is removed again.
                let is_sent = told["num_pending"] == json!(0) || told["error"].is_object();
                is_sent.then_some(())
            })
            .unwrap();
        }
        buy(&server, 3..6);
        server.ready().unwrap();
        whole(&home, &subscriber, 6);
    }

    #[test]
    fn checkpoints_are_published_and_nobody_takes_one_away() {
        const LAST: &str = "$JS.API.STREAM.MSG.GET.TALLYHOOK_CHECKPOINTS";
        let servers = Servers::one(&[], None).unwrap();
        let home = servers.home("").unwrap();
        let server = Server::start(&home).unwrap();
        let Users { publisher, subscriber, ingest } = &servers.users;
        let subscriber = servers.session(subscriber).unwrap();
        let last = json!({"last_by_subj": "tallyhook.checkpoints.main"});
        wait::until("a checkpoint", || {
            let answer = subscriber.ask(LAST, &last).ok()?;
            answer.get("error").is_none().then_some(())
        })
        .unwrap();
        server.stop().unwrap();
        let publisher = servers.session(publisher).unwrap();
        let ingest = servers.session(ingest).unwrap();
        for what in ["PURGE", "DELETE", "UPDATE", "MSG.DELETE"] {
            let asked = format!("$JS.API.STREAM.{what}.TALLYHOOK_CHECKPOINTS");
            for session in [&publisher, &subscriber, &ingest] {
                let refused = session.ask(&asked, &json!({"seq": 1})).unwrap_err().to_string();
                assert!(refused.contains("Permissions Violation"), "{asked}: {refused}");
            }
        }
        let forged = subscriber.ask("tallyhook.checkpoints.main", &json!("x")).unwrap_err();
        assert!(forged.to_string().contains("Permissions Violation"), "{forged}");
    }

    #[test]
    fn a_right_that_is_missing_is_named_with_the_way_out() {
        let servers = Servers::one(&[], None).unwrap();
        let home = servers.home("").unwrap();
        home.write("publisher.nk", &servers.users.subscriber.seed).unwrap();
        let server = Server::start(&home).unwrap();
        is_unready(&server, "may not publish to $JS.API.STREAM.CREATE.TALLYHOOK_BALANCES; grant");
        server.stop().unwrap();

        // With a stream that is there, publishing itself is not permitted.
        home.write("publisher.nk", &servers.users.publisher.seed).unwrap();
        let server = Server::start(&home).unwrap();
        buy(&server, 0..1);
        server.ready().unwrap();
        server.stop().unwrap();
        home.write("publisher.nk", &servers.users.subscriber.seed).unwrap();
        let server = Server::start(&home).unwrap();
        buy(&server, 1..2);
        is_unready(&server, "may not publish to tallyhook.balances.main.joe1; grant");
        server.stop().unwrap();

        // Nor may everybody look.
        home.write("publisher.nk", &servers.users.ingest.seed).unwrap();
        let output = run(&home, &["doctor", "--config", CONFIG]).unwrap();
        assert!(said(&output).contains("may not "), "{}", said(&output));
        let stranger = "SUANQDPB2RUOE4ETUA26CNX7FUKE5ZZKFCQIIW63OX225F2CO7UEXTM7ZY";
        home.write("publisher.nk", stranger).unwrap();
        let output = run(&home, &["doctor", "--config", CONFIG]).unwrap();
        let told = said(&output);
        assert!(told.contains("the broker refused the user; correct"), "{told}");
        assert!(!told.contains(stranger), "{told}");
    }

    #[test]
    fn one_server_is_refused_where_three_replicas_are_asked_for() {
        let servers = Servers::one(&[], None).unwrap();
        let home = servers.home("").unwrap();
        let server = Server::start(&home).unwrap();
        server.ready().unwrap();
        wait::until("the stream", || servers.session(&servers.users.subscriber).ok()?.state().ok())
            .unwrap();
        server.stop().unwrap();
        let home = servers.home("replicas = 3").unwrap();
        let server = Server::start(&home).unwrap();
        is_unready(&server, "replicas 1 and not 3 as [nats] replicas asks for");
        server.stop().unwrap();
    }

    #[test]
    fn one_of_three_servers_is_killed_and_no_event_is_lost_or_twice() {
        let mut servers = Servers::three().unwrap();
        let home = servers.home("replicas = 3").unwrap();
        let server = Server::start(&home).unwrap();
        buy(&server, 0..20);
        server.ready().unwrap();
        let subscriber = servers.session(&servers.users.subscriber).unwrap();
        let info = subscriber.stream("STREAM.INFO", &Value::Null).unwrap();
        assert_eq!(info["config"]["num_replicas"], json!(3), "{info}");
        let output = run(&home, &["doctor", "--config", CONFIG]).unwrap();
        assert!(said(&output).contains("replicas 3 of 3 wanted"), "{}", said(&output));

        // The one that orders the stream's messages: the loss that is felt most.
        let leader = info["cluster"]["leader"].as_str().unwrap();
        buy(&server, 20..30);
        servers.kill(leader).unwrap();
        buy(&server, 30..60);
        let subscriber = servers.session(&servers.users.subscriber).unwrap();
        let all = json!(60);
        let published = || subscriber.state().ok().filter(|state| state["messages"] == all);
        wait::within(LONG * 2, "all events after the loss of a server", published).unwrap();
        server.ready().unwrap();
        whole(&home, &subscriber, 60);
        server.stop().unwrap();
    }
}
