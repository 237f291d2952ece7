import { type Priority } from 'taskward-client'

import type { Fields } from '@/lib/fields'
import { priorities } from '@/lib/filters'
import type { Limits } from '@/lib/limits'

import { Field, SelectField, TextField } from './field'
import { TagField } from './tag-field'

interface Props {
  fields: Fields
  change: (changes: Partial<Fields>) => void
  /** By member of the task. */
  faults: Record<string, string>
  limits: Limits
}

export function TaskFields({ fields, change, faults, limits }: Props) {
  return (
    <>
      <Field
        label="Title"
        autoComplete="off"
        value={fields.title}
        onChange={(event) => change({ title: event.target.value })}
        fault={faults.title}
        limit={limits.title}
      />
      <TextField
        label="Notes"
        rows={3}
        value={fields.description}
        onChange={(event) => change({ description: event.target.value })}
        fault={faults.description}
        limit={limits.description}
      />
      <div className="columns">
        <Field
          label="Due"
          type="date"
          value={fields.date}
          onChange={(event) => change({ date: event.target.value })}
          fault={faults.due_date}
        />
        <Field
          label="At"
          type="time"
          disabled={fields.date === ''}
          value={fields.time}
          onChange={(event) => change({ time: event.target.value })}
        />
        <SelectField
          label="Priority"
          value={fields.priority}
          onChange={(event) => change({ priority: event.target.value as Priority })}
          fault={faults.priority}
        >
          {Object.entries(priorities).map(([priority, label]) => (
            <option key={priority} value={priority}>
              {label}
            </option>
          ))}
        </SelectField>
      </div>
      <TagField tags={fields.tags} tagText={fields.tagText} change={change} fault={faults.tags} />
    </>
  )
}
