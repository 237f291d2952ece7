'use client'

import { useOnline } from '@/lib/connection'
import { explain, isPassing } from '@/lib/failures'

interface Props {
  /** `Your tasks could not be loaded.` */
  text: string
  error: unknown
  retry: () => void
}

/** Something that could not be fetched. A passing failure is retried by itself; see `lib/retries.ts`. */
export function Failure({ text, error, retry }: Props) {
  const online = useOnline()
  return (
    <div className="notice failure" role="alert">
      <p>
        {text} {explain(error, online)} {isPassing(error) && 'This page keeps trying.'}
      </p>
      <button className="button" onClick={retry}>
        Try again now
      </button>
    </div>
  )
}
