import type { NextConfig } from 'next'

const config: NextConfig = {
  // PGlite loads its WebAssembly from its own folder, so it must not be bundled.
  serverExternalPackages: ['@electric-sql/pglite'],
  // Otherwise Next takes the repository's root for the app's root if there is a lock file.
  turbopack: { root: import.meta.dirname },
  poweredByHeader: false,
  agentRules: false,
  headers: async () => [
    {
      source: '/:path*',
      headers: [
        { key: 'Referrer-Policy', value: 'same-origin' },
        { key: 'X-Content-Type-Options', value: 'nosniff' },
      ],
    },
  ],
}

export default config
