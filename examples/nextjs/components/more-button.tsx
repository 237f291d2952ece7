'use client'

import { useEffect, useRef } from 'react'

/** Loads the next page when it is pressed, and by itself when it comes into view. */
export function MoreButton({ busy, load }: { busy: boolean; load: () => void }) {
  const button = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (busy || !button.current) return
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && load(), { rootMargin: '400px' })
    observer.observe(button.current)
    return () => observer.disconnect()
  })
  return (
    <button ref={button} className="button wide" aria-disabled={busy} onClick={() => busy || load()}>
      {busy ? 'Loading…' : 'Load more'}
    </button>
  )
}
