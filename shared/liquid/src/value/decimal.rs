//! Decimal numbers as scaled integers, exact where they fit 128 bits.

use super::number::Number;

/// Digits below this can be negated and added without overflow.
const BOUND: u128 = 1 << 126;

/// `digits / 10^scale`
#[derive(Debug, Clone, Copy)]
pub(super) struct Decimal {
    pub(super) digits: i128,
    pub(super) scale: u32,
}

/// Two decimals of one scale, small enough that their sum fits.
pub(super) struct Aligned {
    left: i128,
    right: i128,
    scale: u32,
}

impl Aligned {
    pub(super) fn add(self) -> Decimal {
        Decimal { digits: self.left + self.right, scale: self.scale }
    }

    pub(super) fn modulo(self) -> Decimal {
        let rest = self.left.checked_rem(self.right).unwrap_or(0);
        let digits = if rest != 0 && (rest < 0) != (self.right < 0) { rest + self.right } else { rest };
        Decimal { digits, scale: self.scale }
    }
}

impl Decimal {
    pub(super) fn of(number: Number) -> Option<Self> {
        match number {
            Number::Int(int) => Some(Self { digits: int.into(), scale: 0 }),
            Number::Float(float) => Self::from_float(float),
        }
    }

    /// The shortest decimal that reads as this float; `None` if it is very large or small.
    pub(super) fn from_float(float: f64) -> Option<Self> {
        let written = float.to_string();
        let (whole, fraction) = written.split_once('.').unwrap_or((&written, ""));
        let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        Some(Self {
            digits: Some(digits).filter(|digits| digits.unsigned_abs() < BOUND)?,
            scale: u32::try_from(fraction.len()).ok()?,
        })
    }

    pub(super) fn negate(self) -> Self {
        Self { digits: -self.digits, ..self }
    }

    pub(super) fn align(self, other: Self) -> Option<Aligned> {
        let scale = self.scale.max(other.scale);
        let lift = |decimal: Self| {
            let factor = 10_i128.checked_pow(scale - decimal.scale)?;
            decimal.digits.checked_mul(factor).filter(|digits| digits.unsigned_abs() < BOUND)
        };
        Some(Aligned { left: lift(self)?, right: lift(other)?, scale })
    }

    pub(super) fn multiply(self, other: Self) -> Option<Self> {
        let digits = self.digits.checked_mul(other.digits)?;
        Some(Self { digits, scale: self.scale.checked_add(other.scale)? })
    }

    pub(super) fn round(self, digits: i32) -> Self {
        let drop = i64::from(self.scale) - i64::from(digits);
        let Some(unit) = u32::try_from(drop).ok().filter(|drop| *drop > 0) else {
            return self;
        };
        let scale = u32::try_from(digits).unwrap_or(0);
        let Some(unit) = 10_i128.checked_pow(unit) else {
            return Self { digits: 0, scale };
        };
        let (whole, rest) = (self.digits / unit, self.digits % unit);
        let up = rest.abs() >= unit - rest.abs();
        let whole = if up { whole + self.digits.signum() } else { whole };
        let lift = 10_i128.checked_pow(digits.min(0).unsigned_abs()).unwrap_or(0);
        Self { digits: whole.saturating_mul(lift), scale }
    }

    pub(super) fn float(self) -> f64 {
        let sign = if self.digits < 0 { "-" } else { "" };
        let digits = self.digits.unsigned_abs();
        format!("{sign}{digits}e-{}", self.scale).parse().unwrap_or(f64::NAN)
    }
}
