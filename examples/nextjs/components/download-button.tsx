'use client'

import { useMutation } from '@tanstack/react-query'
import { TaskwardError } from 'taskward-client'

import { useOnline } from '@/lib/connection'
import { explain } from '@/lib/failures'
import { leaveIfSignedOut, usePage } from '@/lib/page-context'

/** Saves all that the person stores, as Taskward gives it. A file that was cut on its way is not saved. */
export function DownloadButton({ describedBy }: { describedBy: string }) {
  const { patient, hasUnsent } = usePage()
  const online = useOnline()
  const download = useMutation({
    async mutationFn() {
      const { data } = await patient.exportTasks()
      save(data, 'tasks.ndjson')
      return { isBehind: hasUnsent() }
    },
    onError: leaveIfSignedOut,
  })
  const { isPending, error, data } = download
  return (
    <>
      <button
        className="button"
        aria-disabled={isPending || !online}
        aria-describedby={describedBy}
        onClick={() => isPending || !online || download.mutate()}
      >
        {isPending ? 'Downloading…' : 'Download my tasks'}
      </button>
      <div role="status">
        {data && (
          <p className="notice">
            Your tasks are saved as tasks.ndjson.
            {data.isBehind && ' Changes that have not been sent are not in it.'}
          </p>
        )}
      </div>
      <div role="alert">
        {error !== null && (
          <p className="notice failure">
            Nothing was saved.{' '}
            {isCut(error) ? 'The file ended too early, so tasks were missing.' : explain(error, online)}
          </p>
        )}
      </div>
    </>
  )
}

/** The client refuses an export without its last line, although the server has answered 200. */
const isCut = (error: unknown) => error instanceof TaskwardError && error.status === 200

function save(file: Blob, name: string) {
  const href = URL.createObjectURL(file)
  Object.assign(document.createElement('a'), { href, download: name }).click()
  // Browsers read it after the click.
  setTimeout(() => URL.revokeObjectURL(href), 60_000)
}
