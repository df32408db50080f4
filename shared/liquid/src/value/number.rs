//! Numbers: what counts as one, and arithmetic without surprises in the last digit.
//!
//! Shopify computes with decimal numbers, so that `10.1 - 2.2` is `7.9`. Here decimals are
//! computed exactly as scaled integers where they fit, and as 64-bit floats where they do not.

use super::Value;
use super::decimal::Decimal;
use crate::error::RenderErrorKind as Kind;

/// A number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Int(i64),
    Float(f64),
}

/// The number a value stands for: text is read, and what is no number is zero.
pub(crate) fn number(value: &Value<'_>) -> Number {
    match value {
        Value::Int(int) => Number::Int(*int),
        Value::Float(float) => Number::Float(*float),
        Value::Text(text) => from_text(text.as_str()),
        _ => Number::Int(0),
    }
}

/// The whole number a value stands for, zero if none.
pub(crate) fn integer(value: &Value<'_>) -> i64 {
    match number(value) {
        Number::Int(int) => int,
        Number::Float(float) => truncate(float).unwrap_or(0),
    }
}

/// The whole number a value is, as itself or written as text; nothing else passes.
pub(crate) fn strict_integer(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Int(int) => Some(*int),
        Value::Text(text) => text.as_str().trim_ascii().parse().ok(),
        _ => None,
    }
}

/// `-?digits.digits` is a decimal; otherwise the whole number at the start, as far as it goes.
fn from_text(text: &str) -> Number {
    let text = text.trim_ascii();
    let sign = usize::from(text.starts_with(['-', '+']));
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text.get(sign..).unwrap_or_default());
    let end = sign + whole;
    let rest = text.get(end..).unwrap_or_default();
    if let Some(fraction) = rest.strip_prefix('.').filter(|_| whole > 0)
        && !fraction.is_empty()
        && digits(fraction) == fraction.len()
    {
        return Number::Float(text.parse().unwrap_or(0.0));
    }
    let written = text.get(..end).unwrap_or_default();
    match written.parse() {
        Ok(int) => Number::Int(int),
        Err(_) if whole > 0 => Number::Float(written.parse().unwrap_or(0.0)),
        Err(_) => Number::Int(0),
    }
}

/// The whole part of a float, if it fits.
fn truncate(float: f64) -> Option<i64> {
    // 2^63 is exact in a float; i64::MAX is not.
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    (-BOUND..BOUND).contains(&float).then_some(float as i64)
}

impl Number {
    /// As a float.
    #[expect(clippy::cast_precision_loss, reason = "the nearest float is what is asked for")]
    pub(crate) fn float(self) -> f64 {
        match self {
            Self::Int(int) => int as f64,
            Self::Float(float) => float,
        }
    }

    /// The value of this number; a float that is not finite is an error.
    pub(crate) fn value<'a>(self) -> Result<Value<'a>, Kind> {
        match self {
            Self::Int(int) => Ok(Value::Int(int)),
            Self::Float(float) if float.is_finite() => Ok(Value::Float(float)),
            Self::Float(_) => Err(Kind::NumberTooLarge),
        }
    }

    /// A whole number from a float that has no fraction.
    pub(crate) fn whole(float: f64) -> Result<Self, Kind> {
        truncate(float).map(Self::Int).ok_or(Kind::NumberTooLarge)
    }

    /// The sum.
    pub(crate) fn add(self, other: Self) -> Result<Self, Kind> {
        self.combine(other, i64::checked_add, |a, b| Some(a.align(b)?.add()), |a, b| a + b)
    }

    /// The difference.
    pub(crate) fn subtract(self, other: Self) -> Result<Self, Kind> {
        self.combine(other, i64::checked_sub, |a, b| Some(a.align(b.negate())?.add()), |a, b| a - b)
    }

    /// The product.
    pub(crate) fn multiply(self, other: Self) -> Result<Self, Kind> {
        self.combine(other, i64::checked_mul, Decimal::multiply, |a, b| a * b)
    }

    /// The quotient, rounded down between whole numbers.
    pub(crate) fn divide(self, other: Self) -> Result<Self, Kind> {
        if other.float() == 0.0 {
            return Err(Kind::DivisionByZero);
        }
        let (Self::Int(a), Self::Int(b)) = (self, other) else {
            return finite(self.float() / other.float());
        };
        let quotient = a.checked_div(b).ok_or(Kind::NumberTooLarge)?;
        let inexact = a.checked_rem(b).is_some_and(|rest| rest != 0);
        Ok(Self::Int(if inexact && (a < 0) != (b < 0) { quotient - 1 } else { quotient }))
    }

    /// The remainder, with the sign of the divisor.
    pub(crate) fn modulo(self, other: Self) -> Result<Self, Kind> {
        if other.float() == 0.0 {
            return Err(Kind::DivisionByZero);
        }
        let whole = |a: i64, b: i64| {
            let rest = a.checked_rem(b).unwrap_or(0);
            Some(if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest })
        };
        let exact = |a: Decimal, b: Decimal| Some(a.align(b)?.modulo());
        self.combine(other, whole, exact, |a, b| a - b * (a / b).floor())
    }

    /// Rounded half away from zero to `digits` after the point (negative: before it).
    pub(crate) fn round(self, digits: i32) -> Result<Self, Kind> {
        let rounded = match self {
            Self::Int(_) if digits >= 0 => return Ok(self),
            Self::Int(int) => Decimal { digits: int.into(), scale: 0 }.round(digits),
            Self::Float(float) => match Decimal::from_float(float) {
                Some(decimal) => decimal.round(digits),
                None => {
                    return if digits > 0 { Ok(self) } else { Self::whole(float.round()) };
                }
            },
        };
        if digits > 0 {
            return finite(rounded.float());
        }
        i64::try_from(rounded.digits).map(Self::Int).map_err(|_| Kind::NumberTooLarge)
    }

    fn combine(
        self,
        other: Self,
        whole: impl FnOnce(i64, i64) -> Option<i64>,
        exact: impl FnOnce(Decimal, Decimal) -> Option<Decimal>,
        float: impl FnOnce(f64, f64) -> f64,
    ) -> Result<Self, Kind> {
        if let (Self::Int(a), Self::Int(b)) = (self, other) {
            return whole(a, b).map(Self::Int).ok_or(Kind::NumberTooLarge);
        }
        let decimals = Decimal::of(self).zip(Decimal::of(other));
        match decimals.and_then(|(a, b)| exact(a, b)) {
            Some(decimal) => finite(decimal.float()),
            None => finite(float(self.float(), other.float())),
        }
    }
}

fn finite(float: f64) -> Result<Number, Kind> {
    if float.is_finite() { Ok(Number::Float(float)) } else { Err(Kind::NumberTooLarge) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_at_the_edge_of_64_bits_is_an_error_and_not_a_panic() {
        let (least, minus_one) = (Number::Int(i64::MIN), Number::Int(-1));
        assert_eq!(least.divide(minus_one), Err(Kind::NumberTooLarge));
        assert_eq!(least.modulo(minus_one), Ok(Number::Int(0)));
        assert_eq!(least.multiply(minus_one), Err(Kind::NumberTooLarge));
        assert_eq!(least.subtract(Number::Int(1)), Err(Kind::NumberTooLarge));
        assert_eq!(Number::Float(1e308).multiply(Number::Float(10.0)), Err(Kind::NumberTooLarge));
    }

    #[test]
    fn floats_at_the_edge_of_128_bits_are_no_panic() {
        let edge = Number::Float(-(2_f64.powi(127)));
        assert!(Number::Int(1).subtract(edge).is_ok());
        assert!(edge.add(edge).is_ok());
        assert!(edge.multiply(edge).is_ok());
        assert!(edge.modulo(Number::Float(0.1)).is_ok());
        assert_eq!(edge.round(0), Err(Kind::NumberTooLarge));
    }

    #[test]
    fn rounding_is_half_away_from_zero_at_every_digit() {
        assert_eq!(Number::Float(2.675).round(2), Ok(Number::Float(2.68)));
        assert_eq!(Number::Float(-2.5).round(0), Ok(Number::Int(-3)));
        assert_eq!(Number::Int(1250).round(-2), Ok(Number::Int(1300)));
        assert_eq!(Number::Int(1250).round(-40), Ok(Number::Int(0)));
        assert_eq!(Number::Float(1.5).round(i32::MAX), Ok(Number::Float(1.5)));
    }

    #[test]
    fn decimals_are_exact_in_both_directions() {
        assert_eq!(Number::Float(0.1).add(Number::Float(0.2)), Ok(Number::Float(0.3)));
        assert_eq!(Number::Float(-7.5).modulo(Number::Int(2)), Ok(Number::Float(0.5)));
        assert_eq!(Number::Int(-7).divide(Number::Int(2)), Ok(Number::Int(-4)));
    }
}
