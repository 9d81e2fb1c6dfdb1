//! A line chart as an SVG picture.

use std::fmt::Write;

/// One curve of a chart, a value for each step.
pub(crate) struct Curve<'a> {
    pub(crate) name: &'a str,
    pub(crate) unit: &'a str,
    pub(crate) colour: &'a str,
    pub(crate) values: &'a [f64],
}

const WIDTH: f64 = 800.0;
const PANEL: f64 = 220.0;
const MARGIN: f64 = 60.0;

/// Curves below each other, each on a scale of its own.
pub(crate) fn svg(title: &str, steps: &str, curves: &[Curve<'_>]) -> String {
    let height = curves.len() as f64 * PANEL + MARGIN;
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{MARGIN}\" y=\"24\" font-size=\"15\">{title}</text>\n"
    );
    for (i, curve) in curves.iter().enumerate() {
        panel(&mut picture, curve, 40.0 + i as f64 * PANEL);
    }
    let last = curves.first().map_or(0, |curve| curve.values.len());
    let _ = writeln!(
        picture,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{last} {steps}</text>\n</svg>",
        WIDTH - 20.0,
        height - 8.0
    );
    picture
}

fn panel(picture: &mut String, curve: &Curve<'_>, top: f64) {
    let (low, high) = range(curve.values);
    let (bottom, right) = (top + PANEL - 30.0, WIDTH - 20.0);
    let x =
        |i: usize| MARGIN + (right - MARGIN) * i as f64 / (curve.values.len().max(2) - 1) as f64;
    let y = |value: f64| bottom - (bottom - top - 16.0) * (value - low) / (high - low);
    let points: Vec<String> = (curve.values.iter().enumerate())
        .map(|(i, value)| format!("{:.1},{:.1}", x(i), y(*value)))
        .collect();
    for level in [low, (low + high) / 2.0, high] {
        let at = y(level);
        let _ = writeln!(
            picture,
            "<line x1=\"{MARGIN}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\n\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            MARGIN - 6.0,
            at + 4.0,
            short(level)
        );
    }
    let _ = writeln!(
        picture,
        "<text x=\"{MARGIN}\" y=\"{:.1}\" fill=\"{}\">{}, {}</text>\n\
         <polyline fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\" points=\"{}\"/>",
        top + 8.0,
        curve.colour,
        curve.name,
        curve.unit,
        curve.colour,
        points.join(" ")
    );
}

/// The least and the greatest value, never alike.
fn range(values: &[f64]) -> (f64, f64) {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match (low.is_finite(), high > low) {
        (false, _) => (0.0, 1.0),
        (true, false) => (low - 0.5, low + 0.5),
        (true, true) => (low, high),
    }
}

fn short(value: f64) -> String {
    match value.abs() {
        large if large >= 1e6 => format!("{:.2}M", value / 1e6),
        large if large >= 1e4 => format!("{:.1}k", value / 1e3),
        large if large >= 10.0 => format!("{value:.0}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_or_empty_curve_still_makes_a_picture() {
        for values in [&[][..], &[5.0][..], &[5.0, 5.0][..]] {
            let curve = Curve { name: "price", unit: "ulode", colour: "black", values };
            let picture = svg("t", "sessions", &[curve]);
            assert!(picture.ends_with("</svg>\n") && !picture.contains("NaN"), "{picture}");
        }
    }
}
