import type { NextConfig } from 'next'

// Otherwise Next takes the repository's root for the app's root if there is a lock file.
const config: NextConfig = { turbopack: { root: import.meta.dirname }, agentRules: false }

export default config
