//! The pages' one style sheet.

/// Plain CSS, light and dark by the reader's setting.
pub(super) const CSS: &str = r#"
:root {
  color-scheme: light dark;
  --paper: #fbfaf8; --card: #fff; --ink: #1d2530; --quiet: #667080; --line: #e4e2dd; --accent: #a2480f; --chip: #f3ede6;
}
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171c; --card: #1b1f26; --ink: #e7e9ec; --quiet: #97a0ae; --line: #2c323c; --accent: #f0a163; --chip: #2a2622; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
header, main { max-width: 68rem; margin: 0 auto; padding: 1.25rem 1.5rem; }
header { display: flex; align-items: baseline; gap: 1rem; padding-bottom: 0; }
header a { font-weight: 650; font-size: 1.15rem; color: var(--ink); text-decoration: none; }
a { color: var(--accent); }
.quiet, time { color: var(--quiet); font-size: .875rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; overflow: hidden; }
table { width: 100%; border-collapse: collapse; table-layout: fixed; }
th, td { padding: .55rem .9rem; text-align: left; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
th { font-size: .75rem; letter-spacing: .04em; text-transform: uppercase; color: var(--quiet); font-weight: 600; }
tr + tr td, tbody tr td { border-top: 1px solid var(--line); }
tbody tr:hover { background: var(--paper); }
td a { color: inherit; text-decoration: none; font-weight: 550; }
td a:hover { text-decoration: underline; }
.when { width: 11.5rem; } .who { width: 17rem; } .tag { width: 11rem; }
.chip { background: var(--chip); border-radius: .35rem; padding: .1rem .45rem; font-size: .8rem; margin-right: .3rem; }
.empty { padding: 4rem 1rem; text-align: center; color: var(--quiet); }
h1 { font-size: 1.4rem; line-height: 1.3; margin: .25rem 0 .75rem; overflow-wrap: anywhere; }
h2 { font-size: .95rem; margin: 1.5rem 0 .5rem; }
nav { display: flex; gap: 1rem; margin: 1rem 0; flex-wrap: wrap; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0 0 1rem; }
dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; }
iframe { width: 100%; height: 70vh; border: 0; background: #fff; display: block; }
pre { margin: 0; padding: 1rem; white-space: pre-wrap; overflow-wrap: anywhere; font: 13px/1.5 ui-monospace, monospace; }
details summary { cursor: pointer; color: var(--quiet); margin: 1rem 0 .5rem; }
@media (max-width: 42rem) { .who, .tag { display: none; } .when { width: 9rem; } }
"#;
