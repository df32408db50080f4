//! Every limit on what comes from outside and on what we keep, each with its reason.

use jiff::SignedDuration;

/// Bytes of a user id, an e-mail address or an event name: the Track API says "shorter than 255".
pub const NAME_BYTES: usize = 254;
/// Bytes of one call's JSON: Segment's documented limit for one event, and half an SQS 64 KB chunk,
/// so that a single call never costs two requests.
pub const CALL_BYTES: usize = 32 * 1024;
/// Bytes of a request's body after unpacking: Segment's documented limit for a batch.
pub const BODY_BYTES: usize = 500 * 1024;
/// Calls in one batch: Segment's documented limit.
pub const BATCH_CALLS: usize = 2_500;
/// Levels of arrays and objects in a body: ten more than any client was seen to send.
pub const JSON_DEPTH: usize = 24;
/// Keys in all objects of one call: bounds what one profile can grow by.
pub const JSON_KEYS: usize = 1_000;
/// Bytes of a Segment `messageId`: "< 100 characters".
pub const MESSAGE_ID_BYTES: usize = 100;
/// The window in which the Track API takes a repeated event for the same one.
pub const DEDUPLICATION: SignedDuration = SignedDuration::from_mins(5);

/// Bytes of a profile's properties. With the limits below, its item stays under 300 KB, but for the activity that rides in it
/// ([`TAKEN_BYTES`]); DynamoDB ends at 400 KB.
pub const PROPERTY_BYTES: usize = 96 * 1024;
/// Bytes of a profile's tags, removed ones included.
pub const TAG_BYTES: usize = 32 * 1024;
/// Push channels of a profile: more devices than a person has.
pub const CHANNELS: usize = 50;
/// Ids that were renamed to a profile and are listed with it; older ones still lead there.
pub const FORMER_IDS: usize = 50;
/// Counts by day that a profile keeps, over all event names.
pub const COUNTS: usize = 4_000;
/// Event names counted per profile; beyond them the least recently seen name is forgotten.
pub const EVENT_NAMES: usize = 100;
/// Days for which events are counted by day.
pub const COUNTED_DAYS: i32 = 400;
/// Days for which activity is kept.
pub const ACTIVITY_DAYS: i32 = 30;
/// Calls a profile remembers in its own item: a redelivered batch of single calls (ten, in a FIFO queue). What may be older
/// is looked up in the activity.
pub const SEEN_CALLS: usize = 10;
/// Calls of one user packed into one queue message.
pub const MESSAGE_CALLS: usize = 20;
/// Runs that one campaign starts for one person within any hour: above what a person does, below what they would bear. It
/// ends a loop of mail, click and event.
pub const STARTS_PER_HOUR: usize = 20;
/// The same for transactional campaigns: a busy buyer's receipts.
pub const TRANSACTIONAL_STARTS_PER_HOUR: usize = 200;
/// Starts a profile remembers, over all campaigns: 30 KB. Beyond them the oldest are forgotten, and the rule loosens.
pub const STARTS: usize = 1_000;
/// Entries a profile remembers for the rules of campaigns, over all of them: 50 KB. Beyond them the oldest are forgotten,
/// and the rules loosen.
pub const ENTRIES: usize = 500;
/// Bytes of one value that a step makes with Liquid.
pub const VALUE_BYTES: usize = 4 * 1024;
/// Bytes of activity that ride in the profile's item before the next call writes them out as a chunk: keeps the
/// item of an ordinary profile within one write unit (1 KB). Measured: with 300, a call costs 0.3 write units more.
pub const RIDING_ACTIVITY_BYTES: usize = 200;
/// Bytes of calls that a profile takes in one write, or one call if that is longer: what rides in its item until the next
/// one. With them it stays under 370 KB; DynamoDB ends at 400 KB.
pub const TAKEN_BYTES: usize = 64 * 1024;
/// Renames followed from an id to the profile that carries it now.
pub const ALIAS_HOPS: usize = 64;

/// Messages in an SQS batch request.
pub const SQS_BATCH: usize = 10;
/// Bytes of an SQS message, and of all messages of one batch request (1 MiB, less the envelope).
pub const SQS_BYTES: usize = 1024 * 1024 - 8 * 1024;
/// The longest `DelaySeconds` that SQS takes.
pub const SQS_DELAY: SignedDuration = SignedDuration::from_secs(900);
/// The longest wait a workflow may ask for: ten years.
pub const WAIT: SignedDuration = SignedDuration::from_hours(10 * 366 * 24);
/// Steps in one workflow: a graph a person can still read.
pub const STEPS: usize = 200;
/// Steps one run may take without waiting: a workflow that loops for ever is refused when it is
/// published; this bounds what a mistake of ours could do.
pub const STEPS_WITHOUT_WAIT: usize = STEPS + 1;
/// Moves of one run: a loop that waits a day goes round for more than ten years. Beyond them a run ends.
pub const MOVES: u32 = 10_000;
/// Names under which a campaign's runs gather what they hear (`as`): with a call's size each, and as much for the trigger
/// event, for the calls of a move, for its request and for an answer, a run stays under 330 KB; DynamoDB ends at 400 KB.
pub const JOURNEY_NAMES: usize = 6;
/// Properties that an awaited event must share with the trigger.
pub const MATCHED: usize = 4;
/// Tries of one webhook: with the pauses between them up to 21 minutes, longer than a receiver's restart or deployment.
pub const HOOK_TRIES: u32 = 8;
/// How long a webhook is tried: longer than all its tries take while our own queues work.
pub const HOOK_WITHIN: SignedDuration = SignedDuration::from_hours(1);
/// How long a run waits for an answer behind that: a last request and the queue back.
pub const HOOK_ANSWERED: SignedDuration = SignedDuration::from_mins(5);
/// The longest pause behind the first try of a webhook; each further one is twice the one before, to [`SQS_DELAY`].
pub const HOOK_PAUSE: SignedDuration = SignedDuration::from_secs(10);
/// Bytes of a webhook's answer: as much as a call, since a run keeps both ([`JOURNEY_NAMES`]). The most that comes of an
/// API's call; pages are longer, and nothing that steps look into.
pub const HOOK_ANSWER_BYTES: usize = 32 * 1024;
/// Bytes of a webhook's URL: servers commonly refuse a request line beyond 8 KB.
pub const HOOK_URL_BYTES: usize = 4 * 1024;
/// Bytes of one header of a webhook, name and value: a signed token fits, and servers commonly take 8 KB of them all.
pub const HOOK_HEADER_BYTES: usize = 4 * 1024;
/// Conditions nested in one another.
pub const CONDITION_DEPTH: usize = 8;
/// Conditions before it that one is held against to find a contradiction: far more than a person writes, and few
/// enough that a campaign full of conditions is checked at once.
pub const CONDITIONS_COMPARED: usize = 200;
/// Overdue runs that go on in a minute after their campaign was resumed, where nothing is said: a sixth of what one
/// environment of `send` mails (ten in 100 ms), so that other campaigns do not feel it.
pub const RESUME_RATE: u32 = 1_000;
/// The most that may be said: each takes a slot, and DynamoDB takes 1,000 writes of one item a second.
pub const RESUME_RATE_AT_MOST: u32 = 60_000;
/// Bytes of a rendered mail, all parts: SES takes 40 MB, but a mail over 102 KB is cut by Gmail, and
/// one far above it is a mistake.
pub const MAIL_BYTES: usize = 2 * 1024 * 1024;
/// Bytes of one campaign file and of a template in it.
pub const CAMPAIGN_BYTES: usize = 300 * 1024;
/// Bytes of a link's target that is tracked; a longer one goes into the mail as it is. API Gateway takes
/// 10,240 bytes of request line and headers, and base64 adds a third.
pub const TARGET_BYTES: usize = 4 * 1024;
/// Bytes of a signed link behind its kind: what the longest target and ids can make, and the signature.
pub const LINK_BYTES: usize = 6 * 1024;
/// Bytes of a mail's subject after rendering: a header line may have 998 (RFC 5322 §2.1.1), and a text
/// without spaces cannot be folded.
pub const SUBJECT_BYTES: usize = 900;
/// Bytes of a sender's display name.
pub const DISPLAY_NAME_BYTES: usize = 254;

/// The stretch of time over which a project's calls are counted against its quota: longer than a client's burst, short
/// enough that a flood is seen within seconds.
pub const QUOTA_WINDOW: SignedDuration = SignedDuration::from_secs(10);
/// Calls of one project within a window that one environment of `intake` takes into the first lane while others are
/// there: four fifths of what it can take one by one (100 a second, at the slow end of 5 to 10 ms a call).
pub const SOFT_CALLS: u64 = 800;
/// Calls of one project within a window that one environment takes at all: eight of the largest batches, near all that it
/// can unpack, check and queue at a seventh of a core. Calls sent one by one never reach it.
pub const HARD_CALLS: u64 = 20_000;
/// Calls within a window from which on a project's share says something: fewer are no flood.
pub const SHARE_CALLS: u64 = 50;
/// Other projects beside which a share of more than four fifths is a flood; beside fewer, it is just a big customer.
pub const NEIGHBOURS: usize = 3;
/// How long a project must be under half of what made it a flood before it is back in the first lane, and how long a
/// project that sent something is a neighbour.
pub const FLOOD_REST: SignedDuration = SignedDuration::from_secs(60);
/// Projects whose calls an environment counts: about 100 KB. Beyond them the idlest is forgotten.
pub const QUOTA_PROJECTS: usize = 1_000;
/// Environments that a process stands for which is all of `intake`: what 50,000 calls a second keep busy.
pub const ENVIRONMENTS: u64 = 500;
