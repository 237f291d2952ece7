'use client'

import { moveDraft, quickDraft, taskDraft, useDraft } from '@/lib/drafts'
import { writeEdit } from '@/lib/edits'
import { fieldsOf } from '@/lib/fields'
import { usePage } from '@/lib/page-context'

/** Above a draft from before, while another title waits in the quick field: says so, and offers to use that one. */
export function OtherTitle() {
  const { person } = usePage()
  const [title] = useDraft(quickDraft(person))
  if (!title?.trim()) return null

  const use = () => moveDraft(quickDraft(person), taskDraft(person, 'new'), writeEdit({ fields: { ...fieldsOf(), title } }))
  return (
    <div className="notice">
      <p>This is the task that you began before. “{title.trim()}” is still in the quick field.</p>
      <button type="button" className="button" onClick={use}>
        Discard this and use “{title.trim()}”
      </button>
    </div>
  )
}
