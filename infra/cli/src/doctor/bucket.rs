//! The bucket.

use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;

use super::refusal::Refusal;
use super::report::Finding;
use super::stage::Stage;

/// Looks at the bucket.
pub(crate) async fn look(stage: &Stage) -> Finding {
    let check = format!("bucket {}", stage.bucket);
    let s3 = &stage.clients.s3;
    if let Err(error) = s3.head_bucket().bucket(&stage.bucket).send().await {
        // S3 answers this question without words: only the status tells.
        return match error.raw_response().map(|answer| answer.status().as_u16()) {
            Some(403) => Finding::of(&check).wrong(
                "it may not be looked at",
                "use credentials that may read this stage (--profile), or name the right --bucket",
            ),
            Some(301 | 400) => {
                Finding::of(&check).wrong("it is in another region", "name the right --region or --bucket")
            }
            _ => Refusal::of(&error).finding(&check, stage.remake()),
        };
    }
    let finding = Finding::of(&check).saw("is there");
    if !stage.is_aws {
        return finding;
    }
    match s3.get_bucket_lifecycle_configuration().bucket(&stage.bucket).send().await {
        Ok(answer) => finding.saw(format!("{} lifecycle rules", answer.rules().len())),
        Err(error) if error.code() == Some("NoSuchLifecycleConfiguration") => {
            finding.warn_unless(false, "no lifecycle: copies of mails stay for ever", stage.reset())
        }
        Err(error) => Refusal::of(&error).finding(&check, stage.remake()),
    }
}
