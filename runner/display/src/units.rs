//! Formats numbers, sizes and times.

/// Formats an integer with thousands separators.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Formats a size in binary units, with one decimal below 10.
#[must_use]
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (count as f64, "B");
    for next in UNITS.iter().skip(1) {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    let digits = usize::from(unit != "B" && value < 10.0);
    format!("{value:.digits$} {unit}")
}

/// Formats a time in milliseconds since the Unix epoch as `2026-11-21 14:05:09`.
#[must_use]
pub fn utc(ms: u64) -> String {
    let time = i64::try_from(ms).ok().and_then(chrono::DateTime::from_timestamp_millis);
    time.map_or_else(|| "-".into(), |time| time.format("%Y-%m-%d %H:%M:%S").to_string())
}

/// Formats a duration in milliseconds, as milliseconds or seconds.
#[must_use]
pub fn milliseconds(value: f64) -> String {
    if value >= 1e4 {
        seconds(value)
    } else if value < 10.0 {
        format!("{value:.1} ms")
    } else {
        format!("{value:.0} ms")
    }
}

/// Formats a duration in milliseconds as seconds.
#[must_use]
pub fn seconds(milliseconds: f64) -> String {
    format!("{:.2} s", milliseconds / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_formatted_as_dates() {
        assert_eq!(utc(0), "1970-01-01 00:00:00");
        assert_eq!(utc(951_782_400_000), "2000-02-29 00:00:00");
        assert_eq!(utc(1_795_269_909_123), "2026-11-21 14:05:09");
        assert_eq!(utc(4_107_542_399_000), "2100-02-28 23:59:59");
    }

    #[test]
    fn numbers_and_sizes_are_formatted() {
        assert_eq!([0, 999, 1_000, 1_000_000].map(thousands), ["0", "999", "1,000", "1,000,000"]);
        assert_eq!([0, 1023, 1024, 10 << 20, 3 << 40].map(bytes), ["0 B", "1023 B", "1.0 KiB", "10 MiB", "3.0 TiB"]);
    }
}
