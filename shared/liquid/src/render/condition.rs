//! `if`, `unless` and `case`.

use super::{Flow, Raised, Renderer};
use crate::ast::{Arm, Case, Condition, If, Logic, Operator, Test};
use crate::value::{contains, equal, order};

impl<'a> Renderer<'a> {
    pub(super) fn conditional(&mut self, tag: &'a If) -> Result<Flow, Raised> {
        for (condition, block) in &tag.branches {
            if self.holds(condition)? {
                return self.block(block);
            }
        }
        tag.otherwise.as_ref().map_or(Ok(Flow::Next), |block| self.block(block))
    }

    /// Grouped from the right: `a and b or c` is `a and (b or c)`. So a test that decides its own
    /// `and` or `or` decides all the rest.
    fn holds(&mut self, condition: &'a Condition) -> Result<bool, Raised> {
        let mut result = false;
        for test in &condition.tests {
            result = self.test(test)?;
            match test.join {
                Some(Logic::And) if !result => break,
                Some(Logic::Or) if result => break,
                _ => {}
            }
        }
        Ok(result != condition.negated)
    }

    fn test(&mut self, test: &'a Test) -> Result<bool, Raised> {
        self.env.work(1)?;
        let left = self.value(&test.left)?;
        let Some((operator, right)) = &test.compare else {
            return Ok(left.is_truthy());
        };
        let right = self.value(right)?;
        Ok(match operator {
            Operator::Equal => equal(&left, &right, &mut self.env)?,
            Operator::NotEqual => !equal(&left, &right, &mut self.env)?,
            Operator::Contains => contains(&left, &right, &mut self.env)?,
            operator => order(*operator, &left, &right, &mut self.env)?,
        })
    }

    /// Every value of every `when` that equals the subject renders its block; `else` renders if
    /// none before it has.
    pub(super) fn case(&mut self, tag: &'a Case) -> Result<Flow, Raised> {
        let subject = self.value(&tag.subject)?;
        let mut matched = false;
        for arm in &tag.arms {
            let times = match arm {
                Arm::Else(_) => usize::from(!matched),
                Arm::When(values, _) => {
                    let mut times = 0;
                    for value in values {
                        let value = self.value(value)?;
                        times += usize::from(equal(&subject, &value, &mut self.env)?);
                    }
                    matched |= times > 0;
                    times
                }
            };
            for _ in 0..times {
                let flow = self.block(arm.block())?;
                if flow != Flow::Next {
                    return Ok(flow);
                }
            }
        }
        Ok(Flow::Next)
    }
}
