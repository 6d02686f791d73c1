//! How configuration and log come together at the start.

use super::*;

#[tokio::test]
async fn a_changed_policy_file_is_refused_and_changed_settings_are_recorded() {
    let server = server();
    let log: Arc<dyn EventLog> = server.log.clone();
    let engine = Engine::open(log, Arc::clone(&server.projections), |_, _| {}).unwrap();
    let now = Timestamp::parse(NOW).unwrap();
    let records =
        || server.log.head(server.config.ledgers.keys().next().unwrap()).unwrap().sequence.get();

    settle(&engine, &server.projections, &server.config, now).unwrap();
    assert_eq!(records(), 2);
    for (mode, expected) in [("sandbox", 3), ("live", 4), ("sandbox", 5)] {
        settle(&engine, &server.projections, &config(POLICY, mode), now).unwrap();
        assert_eq!(records(), expected);
    }
    let other = config(&format!("{POLICY}\n"), "live");
    let error = settle(&engine, &server.projections, &other, now).unwrap_err();
    assert!(matches!(error, SettleError::PolicyDiffers { .. }));
    assert!(error.to_string().contains("tallyhook policy activate"), "{error}");
}
