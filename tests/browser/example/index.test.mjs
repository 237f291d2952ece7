// The example in Debian's Chromium, as people use it and as it breaks.
//
//   cargo build && cd tests/browser && npm ci && npm run test:example
//
// One server for all stories: `--test-name-pattern` picks some.

import './accounts.mjs'
import './tasks.mjs'
import './trouble.mjs'
import './access.mjs'
import './start.mjs'
