'use client'

export interface FailureProps {
  /** What happened, in sentences. */
  reason: string
  /** Whether it may succeed later: then the page tries again by itself, too. */
  isPassing: boolean
  retry: () => void
}

/** In place of tasks that could not be fetched. */
export function Failure({ reason, isPassing, retry }: FailureProps) {
  return (
    <div className="notice failure" role="alert">
      <p>
        Your tasks could not be loaded. {reason} {isPassing && 'This page keeps trying.'}
      </p>
      <button className="button" onClick={retry}>
        Try again now
      </button>
    </div>
  )
}
