'use client'

// Whether the app can be reached. The browser's own state is not enough: its `online` event can be late or missing, and
// `navigator.onLine` can be false on a machine that does reach the app (on localhost, or through some VPNs). So the
// page is offline while the browser says so and the app does not answer.

import { onlineManager } from '@tanstack/react-query'
import { useSyncExternalStore } from 'react'

const checkInterval = 1000
const probeTimeout = 5000

/** Keeps TanStack's `onlineManager` up to date: `onlineManager.setEventListener(watchConnection)`. */
export function watchConnection(setOnline: (online: boolean) => void): () => void {
  let timer: ReturnType<typeof setInterval> | undefined

  function goOnline() {
    clearInterval(timer)
    timer = undefined
    setOnline(true)
  }
  async function check() {
    // Checks may overlap: on a bad connection a probe can hang, and the next one succeed.
    const began = timer
    const reached = navigator.onLine || (await isReached())
    if (timer === undefined || timer !== began) return // it has ended, or is another time without a connection
    if (reached) goOnline()
    else setOnline(false)
  }
  function goOffline() {
    timer ??= setInterval(() => void check(), checkInterval)
    void check()
  }

  addEventListener('online', goOnline)
  addEventListener('offline', goOffline)
  if (!navigator.onLine) goOffline()
  return () => {
    clearInterval(timer)
    timer = undefined
    removeEventListener('online', goOnline)
    removeEventListener('offline', goOffline)
  }
}

/** Whether the app answers at all. */
function isReached(): Promise<boolean> {
  const options = { method: 'HEAD', cache: 'no-store', signal: AbortSignal.timeout(probeTimeout) } as const
  return fetch('/icon.svg', options).then(
    () => true,
    () => false,
  )
}

/** Whether the app can be reached. */
export function useOnline(): boolean {
  return useSyncExternalStore(
    onlineManager.subscribe,
    () => onlineManager.isOnline(),
    () => true,
  )
}
