'use client'

import { useOnline } from '@/lib/connection'

/** Says that the browser is offline, until it is back. */
export function Connection() {
  const online = useOnline()
  return (
    <div role="status">
      {!online && <p className="notice">You are offline. You can still read this list, and what you type is kept.</p>}
    </div>
  )
}
