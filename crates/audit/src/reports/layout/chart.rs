//! A chart as SVG in HTML: coordinates are whole numbers, so the same values give the same bytes.

use std::fmt::Write as _;

use super::{super::amount::Amount, Chart, Series, Shape, html::escaped};

/// The drawing's size, in units of which a page shows as many as it has room for.
const WIDTH: usize = 960;
/// Its height.
const HEIGHT: usize = 280;
/// Room for the values at the left.
const LEFT: usize = 110;
/// Where the axis ends: the last label needs room at its right.
const RIGHT: usize = WIDTH - 30;
/// Room above.
const TOP: usize = 12;
/// Room for the labels below.
const BOTTOM: usize = 32;
/// How many lines across at most tell values.
const TICKS_MAX: i128 = 6;
/// How many labels at most stand below.
const LABELS_MAX: usize = 12;
/// How many colours the style has.
const COLOURS: usize = 6;

pub(super) fn chart(html: &mut String, chart: &Chart) {
    let title = escaped(&chart.title);
    let _ = writeln!(html, "<figure>\n<figcaption>{title}</figcaption>");
    legend(html, &chart.series);
    let scale = Scale::of(chart);
    let _ = writeln!(
        html,
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">"
    );
    grid(html, &scale);
    below(html, chart);
    for (place, series) in chart.series.iter().enumerate() {
        match chart.shape {
            Shape::Bars => bars(html, chart, &scale, place, series),
            Shape::Steps => steps(html, chart, &scale, place, series),
        }
    }
    let zero = scale.height_of(0);
    let _ = writeln!(
        html,
        "<line class=\"axis\" x1=\"{LEFT}\" y1=\"{zero}\" x2=\"{RIGHT}\" y2=\"{zero}\"/>"
    );
    html.push_str("</svg>\n</figure>\n");
}

fn legend(html: &mut String, series: &[Series]) {
    html.push_str("<ul class=\"legend\">");
    for (place, series) in series.iter().enumerate() {
        let colour = place % COLOURS;
        let _ = write!(
            html,
            "<li><svg viewBox=\"0 0 10 10\" aria-hidden=\"true\"><rect class=\"f{colour}\" \
             width=\"10\" height=\"10\"/></svg>{}</li>",
            escaped(&series.name)
        );
    }
    html.push_str("</ul>\n");
}

/// Where values stand.
struct Scale {
    /// The least and the greatest that is shown, in units of `decimals`; zero is between them.
    least: i128,
    most: i128,
    step: i128,
    decimals: u8,
}

impl Scale {
    fn of(chart: &Chart) -> Self {
        let values = || chart.series.iter().flat_map(|series| &series.values);
        let decimals = values().map(|value| value.decimals()).max().unwrap_or(0);
        let units = || values().map(|value| value.with_decimals(decimals).units());
        let (least, most) = (units().min().unwrap_or(0).min(0), units().max().unwrap_or(0).max(1));
        let step = step(most.saturating_sub(least));
        let least = least.div_euclid(step).saturating_mul(step);
        let most = most.saturating_add(step - 1).div_euclid(step).saturating_mul(step);
        Self { least, most, step, decimals }
    }

    /// How far from the top a value stands.
    fn height_of(&self, units: i128) -> usize {
        let room = HEIGHT - TOP - BOTTOM;
        let range = self.most.saturating_sub(self.least).max(1);
        let below = self.most.saturating_sub(units).clamp(0, range);
        // Of a range near the limit the last digits make no difference to the eye.
        let (below, range) = if range > i128::from(u64::MAX) {
            (below >> 64_u32, (range >> 64_u32).max(1))
        } else {
            (below, range)
        };
        let parts = i128::try_from(room).unwrap_or(0);
        TOP + usize::try_from(below * parts / range).unwrap_or(room).min(room)
    }

    fn value(&self, value: Amount) -> i128 {
        value.with_decimals(self.decimals).units()
    }
}

/// A distance between lines across that people count in: 1, 2 or 5 and zeros.
fn step(range: i128) -> i128 {
    let mut power: i128 = 1;
    loop {
        for digit in [1, 2, 5] {
            let step = power.saturating_mul(digit);
            if range / step < TICKS_MAX || step == i128::MAX {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}

fn grid(html: &mut String, scale: &Scale) {
    let mut value = scale.least;
    while value <= scale.most {
        let at = scale.height_of(value);
        let text = trimmed(Amount::new(value, scale.decimals));
        let _ = writeln!(
            html,
            "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{at}\" x2=\"{RIGHT}\" y2=\"{at}\"/>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{text}</text>",
            LEFT - 6,
            at + 4
        );
        value = value.saturating_add(scale.step);
    }
}

/// An amount without zeros at the end of its fraction.
fn trimmed(amount: Amount) -> String {
    let text = amount.to_string();
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn below(html: &mut String, chart: &Chart) {
    let every = chart.labels.len().div_ceil(LABELS_MAX).max(1);
    for (place, label) in chart.labels.iter().enumerate().step_by(every) {
        let (from, to) = slot(chart, place);
        let _ = writeln!(
            html,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            usize::midpoint(from, to),
            HEIGHT - 10,
            escaped(label)
        );
    }
}

/// Where a label's part of the horizontal axis begins and ends.
fn slot(chart: &Chart, place: usize) -> (usize, usize) {
    let room = RIGHT - LEFT;
    let count = chart.labels.len().max(1);
    (LEFT + room * place / count, LEFT + room * (place + 1) / count)
}

fn bars(html: &mut String, chart: &Chart, scale: &Scale, place: usize, series: &Series) {
    let count = chart.series.len().max(1);
    let zero = scale.height_of(0);
    for (label, value) in series.values.iter().enumerate() {
        let (from, to) = slot(chart, label);
        let margin = (to - from) / 8;
        let room = (to - from).saturating_sub(2 * margin);
        let left = from + margin + room * place / count;
        let right = from + margin + room * (place + 1) / count;
        let at = scale.height_of(scale.value(*value));
        if at == zero {
            continue;
        }
        let _ = writeln!(
            html,
            "<rect class=\"f{}\" x=\"{left}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{}: {} \
             {}</title></rect>",
            place % COLOURS,
            at.min(zero),
            right.saturating_sub(left).max(1),
            at.abs_diff(zero),
            escaped(chart.labels.get(label).map_or("", String::as_str)),
            escaped(&series.name),
            trimmed(*value)
        );
    }
}

fn steps(html: &mut String, chart: &Chart, scale: &Scale, place: usize, series: &Series) {
    let mut points = String::new();
    for (label, value) in series.values.iter().enumerate() {
        let (from, to) = slot(chart, label);
        let at = scale.height_of(scale.value(*value));
        let _ = write!(points, "{from},{at} {to},{at} ");
    }
    let _ = writeln!(
        html,
        "<polyline class=\"line l{}\" points=\"{}\"/>",
        place % COLOURS,
        points.trim_end()
    );
}
