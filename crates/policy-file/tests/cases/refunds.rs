//! Faults of usage rules and of `[refunds]`: see [`super::GOOD`].

use super::Case;

pub(crate) const USAGE: &[Case] = &[
    (
        r#"unit = "USD""#,
        "unit = \"USD\"\nexpiry = \"1 year\"",
        r#"line 6: credits.expiry: must be "never", since credits do not expire; write expiry = "never""#,
    ),
    (
        r#"unit = "USD""#,
        "unit = \"USD\"\nexpiry = 365",
        r#"line 6: credits.expiry: must be "never", since credits do not expire; write expiry = "never""#,
    ),
    (
        r#"order = ["gift", "paid"]"#,
        "order = [\"gift\", \"paid\"]\nmetadata = \"model\"",
        "line 12: spending.metadata: must be a list, not text; write it in brackets: [ ... ]",
    ),
    (
        r#"order = ["gift", "paid"]"#,
        "order = [\"gift\", \"paid\"]\nmetadata = [\"model\", \"model\"]",
        "line 12: spending.metadata[1]: is listed twice; keep one of them",
    ),
    (
        r#"order = ["gift", "paid"]"#,
        "order = [\"gift\", \"paid\"]\nmetadata = [\"\"]",
        r#"line 12: spending.metadata[0]: "" must not be empty; write a name that each debit has, such as "request_id""#,
    ),
    (
        r#"order = ["gift", "paid"]"#,
        "order = [\"gift\", \"paid\"]\nreturns = \"deny\"",
        r#"line 12: spending.returns: "deny" is not one of "allow", "refuse"; write one of these"#,
    ),
    (
        r#"order = ["gift", "paid"]"#,
        "order = [\"gift\", \"paid\"]\nreturn = \"allow\"",
        r#"line 12: spending.return: is not a known key; did you mean "returns"?"#,
    ),
];

pub(crate) const APPLICATIONS: &[Case] = &[
    (
        r#"facts = ["email", "amount"]"#,
        "",
        "line 20: refunds.facts: is missing; write what each application must say, or facts = []",
    ),
    (
        r#"["email", "amount"]"#,
        r#""email""#,
        "line 21: refunds.facts: must be a list, not text; write it in brackets: [ ... ]",
    ),
    (
        r#"["email", "amount"]"#,
        r#"["email", "E-Mail"]"#,
        r#"line 21: refunds.facts[1]: "E-Mail" must be lower-case letters, digits, '-' and '_'; write the name of a fact, such as "proof""#,
    ),
    (
        r#"["email", "amount"]"#,
        r#"["email", "email"]"#,
        "line 21: refunds.facts[1]: is listed twice; keep one of them",
    ),
    (
        r#"["email", "amount"]"#,
        r#"["email", 7]"#,
        "line 21: refunds.facts[1]: must be text, not a whole number; write it in quotes",
    ),
    (
        "review_business_days = 7",
        "",
        "line 20: refunds.review_business_days: is missing; write review_business_days = 7",
    ),
    (
        "review_business_days = 7",
        "review_business_days = 0",
        "line 22: refunds.review_business_days: 0 is out of range; write a whole number from 1 to 366",
    ),
    (
        "review_business_days = 7",
        "review_business_days = 367",
        "line 22: refunds.review_business_days: 367 is out of range; write a whole number from 1 to 366",
    ),
    (
        r#"consumed = "N1""#,
        r#"consumed = """#,
        r#"line 29: refunds.denials.consumed: "" must not be empty; write the rule as applicants know it, such as "A6""#,
    ),
    (
        r#"consumed = "N1""#,
        "consumed = \"N1\"\nrestrict = \"N3\"",
        r#"line 30: refunds.denials.restrict: is not a condition that denies; did you mean "restricted"?"#,
    ),
    (
        r#"consumed = "N1""#,
        "consumed = \"N1\"\nfraud = \"N3\"",
        "line 30: refunds.denials.fraud: is not a condition that denies; known here are restricted, invoiced, consumed",
    ),
    (
        r#"consumed = "N1""#,
        r#"restricted = "N3""#,
        r#"line 40: refunds.reasons.mistaken.despite[0]: "consumed" denies nothing here; add consumed to [refunds.denials], or remove it here"#,
    ),
];

pub(crate) const CALENDAR: &[Case] = &[
    (
        r#"zone = "Asia/Shanghai""#,
        "",
        r#"line 23: refunds.calendar.zone: is missing; write zone = "UTC" or the place, such as "Asia/Shanghai""#,
    ),
    (
        "Asia/Shanghai",
        "Asia/Shanghia",
        r#"line 24: refunds.calendar.zone: "Asia/Shanghia" is not a known time zone; did you mean "Asia/Shanghai"?"#,
    ),
    (
        "Asia/Shanghai",
        "new york",
        r#"line 24: refunds.calendar.zone: "new york" is not a known time zone; did you mean "America/New_York"?"#,
    ),
    (
        "Asia/Shanghai",
        "CST",
        r#"line 24: refunds.calendar.zone: "CST" is not a known time zone; use a name of the IANA database, such as "Europe/Berlin""#,
    ),
    (
        "Asia/Shanghai",
        "+08:00",
        r#"line 24: refunds.calendar.zone: "+08:00" is not a known time zone; use a name of the IANA database, such as "Europe/Berlin""#,
    ),
    (
        r#""Asia/Shanghai""#,
        "8",
        "line 24: refunds.calendar.zone: must be text, not a whole number; write it in quotes",
    ),
    (
        r#"weekend = ["saturday", "sunday"]"#,
        "",
        r#"line 23: refunds.calendar.weekend: is missing; write weekend = ["saturday", "sunday"], or [] for none"#,
    ),
    (
        r#"["saturday", "sunday"]"#,
        r#"["saturday", "Sunday"]"#,
        r#"line 25: refunds.calendar.weekend[1]: "Sunday" is not one of "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"; did you mean "sunday"?"#,
    ),
    (
        r#"["saturday", "sunday"]"#,
        r#"["saturday", "saturday"]"#,
        "line 25: refunds.calendar.weekend[1]: is listed twice; keep one of them",
    ),
    (
        r#"["saturday", "sunday"]"#,
        r#"["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]"#,
        "line 25: refunds.calendar.weekend: names all seven days, so that no review would ever be due; leave out the days that are worked",
    ),
    (
        r#""2026-10-01""#,
        r#""2026-02-30""#,
        r#"line 26: refunds.calendar.holidays[0]: "2026-02-30" is not a day; write year, month and day, such as "2026-10-01""#,
    ),
    (
        r#""2026-10-01""#,
        r#""1 October""#,
        r#"line 26: refunds.calendar.holidays[0]: "1 October" is not a day; write year, month and day, such as "2026-10-01""#,
    ),
    (
        r#""2026-10-01""#,
        "2026-10-01T00:00:00Z",
        r#"line 26: refunds.calendar.holidays[0]: "2026-10-01T00:00:00Z" is not a day; write year, month and day, such as "2026-10-01""#,
    ),
    (
        r#""2026-10-01""#,
        "true",
        r#"line 26: refunds.calendar.holidays[0]: must be a day, not true or false; write it as in "2026-10-01""#,
    ),
    (
        r#""2026-10-01""#,
        r#""2026-10-01", 2026-10-01"#,
        "line 26: refunds.calendar.holidays[1]: is listed twice; keep one of them",
    ),
    (
        r#""2026-10-10""#,
        r#""2026-10-10", "2026-10-01""#,
        "line 27: refunds.calendar.working_days[1]: 2026-10-01 is among the holidays too; keep it in one of the two lists",
    ),
    (
        r#""2026-10-10""#,
        r#""2026-10-10", "2026-10-10""#,
        "line 27: refunds.calendar.working_days[1]: is listed twice; keep one of them",
    ),
    (
        "working_days",
        "workdays",
        r#"line 27: refunds.calendar.workdays: is not a known key; did you mean "working_days"?"#,
    ),
];

pub(crate) const REASONS: &[Case] = &[
    (
        "reasons.mistaken]",
        r#"reasons."Mistaken top-up"]"#,
        r#"line 33: refunds.reasons."Mistaken top-up": the name "Mistaken top-up" must be lower-case letters, digits, '-' and '_'; choose a name such as "duplicate-payment""#,
    ),
    (
        "reasons.mistaken]",
        r#"reasons.""]"#,
        r#"line 33: refunds.reasons."": the name "" must not be empty; choose a name such as "duplicate-payment""#,
    ),
    (
        r#"verdict = "deny""#,
        "",
        r#"line 30: refunds.reasons.changed-needs.verdict: is missing; write verdict = "deny", "review" or "eligible""#,
    ),
    (
        r#"verdict = "deny""#,
        r#"verdict = "denied""#,
        r#"line 31: refunds.reasons.changed-needs.verdict: "denied" is not one of "deny", "review", "eligible"; write one of these"#,
    ),
    (
        r#"rule = "A6""#,
        "",
        r#"line 30: refunds.reasons.changed-needs.rule: is missing; name the rule that applicants are told, such as rule = "A6""#,
    ),
    (
        r#"rule = "A6""#,
        "rule = 6",
        "line 32: refunds.reasons.changed-needs.rule: must be text, not a whole number; write it in quotes",
    ),
    (
        r#"rule = "A6""#,
        r#"rule = """#,
        r#"line 32: refunds.reasons.changed-needs.rule: "" must not be empty; write the rule as applicants know it, such as "A6""#,
    ),
    (
        r#"rule = "A6""#,
        "rule = \"A6\"\nwithin_days = 7",
        r#"line 33: refunds.reasons.changed-needs.within_days: means nothing beside verdict = "deny"; remove it, or choose another verdict"#,
    ),
    (
        r#"rule = "A6""#,
        "rule = \"A6\"\nunused = false",
        r#"line 33: refunds.reasons.changed-needs.unused: means nothing beside verdict = "deny"; remove it, or choose another verdict"#,
    ),
    (
        r#"rule = "A6""#,
        "rule = \"A6\"\nremedy = \"credits\"",
        r#"line 33: refunds.reasons.changed-needs.remedy: means nothing beside verdict = "deny"; remove it, or choose another verdict"#,
    ),
    (
        r#"rule = "A6""#,
        "rule = \"A6\"\nfacts = []",
        r#"line 33: refunds.reasons.changed-needs.facts: means nothing beside verdict = "deny"; remove it, or choose another verdict"#,
    ),
    (
        r#"rule = "A6""#,
        "rule = \"A6\"\ndespite = []",
        r#"line 33: refunds.reasons.changed-needs.despite: means nothing beside verdict = "deny"; remove it, or choose another verdict"#,
    ),
    (
        r#"rule = "A6""#,
        "rule = \"A6\"\ndays = 7",
        "line 33: refunds.reasons.changed-needs.days: is not a known key; remove it; known here are verdict, rule, facts, within_days, unused, remedy, despite",
    ),
    (
        r#"facts = ["proof"]"#,
        r#"facts = [["proof"]]"#,
        "line 36: refunds.reasons.mistaken.facts[0]: must be text, not a list; write it in quotes",
    ),
    (
        r#"facts = ["proof"]"#,
        r#"facts = ["proof of payment"]"#,
        r#"line 36: refunds.reasons.mistaken.facts[0]: "proof of payment" must be lower-case letters, digits, '-' and '_'; write the name of a fact, such as "proof""#,
    ),
    (
        "within_days = 7",
        "within_days = 0",
        "line 37: refunds.reasons.mistaken.within_days: 0 is out of range; write a whole number from 1 to 4294967295",
    ),
    (
        "within_days = 7",
        r#"within_days = "7""#,
        "line 37: refunds.reasons.mistaken.within_days: must be a whole number, not text; write digits without quotes",
    ),
    (
        "unused = true",
        r#"unused = "yes""#,
        "line 38: refunds.reasons.mistaken.unused: must be true or false, not text; write true or false without quotes",
    ),
    (
        r#"remedy = "refund""#,
        r#"remedy = "credit""#,
        r#"line 39: refunds.reasons.mistaken.remedy: "credit" is not one of "refund", "credits"; did you mean "credits"?"#,
    ),
    (
        r#"despite = ["consumed"]"#,
        r#"despite = ["restricted"]"#,
        r#"line 40: refunds.reasons.mistaken.despite[0]: "restricted" denies nothing here; add restricted to [refunds.denials], or remove it here"#,
    ),
    (
        r#"despite = ["consumed"]"#,
        r#"despite = ["consume"]"#,
        r#"line 40: refunds.reasons.mistaken.despite[0]: "consume" is not one of "restricted", "invoiced", "consumed"; did you mean "consumed"?"#,
    ),
    (
        r#"despite = ["consumed"]"#,
        r#"despite = ["consumed", "consumed"]"#,
        "line 40: refunds.reasons.mistaken.despite[1]: is listed twice; keep one of them",
    ),
];

pub(crate) const QUOTE: &[Case] = &[
    (
        "tax = true",
        r#"tax = "6""#,
        "line 42: refunds.quote.tax: must be true or false, not text; write true or false without quotes",
    ),
    (
        "tax = true",
        "vat = true",
        "line 42: refunds.quote.vat: is not a known key; remove it; known here are tax, channel_fee, invoice_tax, gift_used, promotion, third_party_costs",
    ),
    (
        r#"percent = "2.9", "#,
        "",
        r#"line 43: refunds.quote.channel_fee.percent: is missing; write percent = "2.9""#,
    ),
    (
        r#""2.9""#,
        "2.9",
        r#"line 43: refunds.quote.channel_fee.percent: must not be a float, which is not exact; write it as a string: "2.9""#,
    ),
    (
        r#""2.9""#,
        r#""2.9%""#,
        r#"line 43: refunds.quote.channel_fee.percent: "2.9%" must be from 0 to 100, with at most 4 decimals; write the parts of a hundred, such as "2.9""#,
    ),
    (
        r#""2.9""#,
        r#""-1""#,
        r#"line 43: refunds.quote.channel_fee.percent: "-1" must be from 0 to 100, with at most 4 decimals; write the parts of a hundred, such as "2.9""#,
    ),
    (
        r#""2.9""#,
        r#""2.90001""#,
        r#"line 43: refunds.quote.channel_fee.percent: "2.90001" must be from 0 to 100, with at most 4 decimals; write the parts of a hundred, such as "2.9""#,
    ),
    (
        r#""0.30""#,
        r#""0.305""#,
        r#"line 43: refunds.quote.channel_fee.fixed.USD: "0.305" must have at most 2 decimals; write major units of USD, such as "1""#,
    ),
    (
        r#""0.30""#,
        r#""0""#,
        r#"line 43: refunds.quote.channel_fee.fixed.USD: "0" must be above zero; write major units of USD, such as "1""#,
    ),
    (
        r#""0.30""#,
        r#""-0.30""#,
        r#"line 43: refunds.quote.channel_fee.fixed.USD: "-0.30" must be a plain decimal number, such as "12.5"; write major units of USD, such as "1""#,
    ),
    (
        r#""0.30""#,
        r#""1000000000001""#,
        r#"line 43: refunds.quote.channel_fee.fixed.USD: "1000000000001" is too large; write major units of USD, such as "1""#,
    ),
    (
        r#""0.30""#,
        r#""0,30""#,
        r#"line 43: refunds.quote.channel_fee.fixed.USD: "0,30" must be a plain decimal number, such as "12.5"; write major units of USD, such as "1""#,
    ),
    (
        r#"{ USD = "0.30" }"#,
        r#"{ JPY = "0.5" }"#,
        r#"line 43: refunds.quote.channel_fee.fixed.JPY: "0.5" must have at most 0 decimals; write major units of JPY, such as "1""#,
    ),
    (
        r#"{ USD = "0.30" }"#,
        r#"{ usd = "0.30" }"#,
        r#"line 43: refunds.quote.channel_fee.fixed.usd: is not a known currency; did you mean "USD"?"#,
    ),
    (
        r#"{ USD = "0.30" }"#,
        r#""0.30""#,
        "line 43: refunds.quote.channel_fee.fixed: must be a table, not text; write it in braces, { key = ... }, or under a header in brackets",
    ),
    (
        "fixed",
        "fix",
        "line 43: refunds.quote.channel_fee.fix: is not a known key; remove it; known here are percent, fixed",
    ),
    (
        r#"channel_fee = { percent = "2.9", fixed = { USD = "0.30" } }"#,
        r#"channel_fee = "2.9""#,
        "line 43: refunds.quote.channel_fee: must be a table, not text; write it in braces, { key = ... }, or under a header in brackets",
    ),
    (
        r#"invoice_tax = "6""#,
        r#"invoice_tax = "100.1""#,
        r#"line 44: refunds.quote.invoice_tax: "100.1" must be from 0 to 100, with at most 4 decimals; write the parts of a hundred, such as "2.9""#,
    ),
    (
        r#"invoice_tax = "6""#,
        "invoice_tax = true",
        r#"line 44: refunds.quote.invoice_tax: must be a decimal number, not true or false; write it as a string, such as "12.5""#,
    ),
    (
        "third_party_costs = true",
        "third_party_costs = 1",
        "line 47: refunds.quote.third_party_costs: must be true or false, not a whole number; write true or false without quotes",
    ),
];
