import type { NextConfig } from 'next'

const config: NextConfig = {
  // It loads its WebAssembly from beside its own files, so it must stay where it is.
  serverExternalPackages: ['@electric-sql/pglite'],
  // Without it Next takes the repository's root for that of the app when there is a lock file.
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
