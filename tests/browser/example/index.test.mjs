// The example in Debian's Chromium: how people use it, and what happens when something fails.
//
//   cargo build && cd tests/browser && npm ci && npm run test:example
//
// One server runs for all stories. `--test-name-pattern` selects some.

import './accounts.mjs'
import './sessions.mjs'
import './tasks.mjs'
import './fields.mjs'
import './completing.mjs'
import './lists.mjs'
import './connection.mjs'
import './lost-answers.mjs'
import './conflicts.mjs'
import './live.mjs'
import './own-data.mjs'
import './access.mjs'
import './start.mjs'
