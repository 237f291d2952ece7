// A strict Content-Security-Policy for every page: only scripts with the nonce of this response run, and pages connect
// only to this app and Taskward. Next reads the nonce from the request's header and adds it to its own scripts.

import { type NextRequest, NextResponse } from 'next/server'

import { taskwardUrl } from './lib/settings'

const development = process.env.NODE_ENV === 'development'

export function proxy(request: NextRequest) {
  const nonce = btoa(crypto.randomUUID())
  const policy = [
    "default-src 'none'",
    // In development React uses eval, and Next adds inline styles.
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${development ? " 'unsafe-eval'" : ''}`,
    `style-src 'self'${development ? " 'unsafe-inline'" : ''}`,
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src 'self' ${taskwardUrl()}${development ? ' ws:' : ''}`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')

  const headers = new Headers(request.headers)
  headers.set('Content-Security-Policy', policy)
  const response = NextResponse.next({ request: { headers } })
  response.headers.set('Content-Security-Policy', policy)
  return response
}

export const config = { matcher: '/((?!api/|_next/static/|icon.svg).*)' }
