import { type Priority } from 'taskward-client'

import type { Fields } from '@/lib/fields'
import { priorities } from '@/lib/filters'

import { Field, SelectField, TextField } from './field'

interface Props {
  fields: Fields
  change: (changes: Partial<Fields>) => void
  /** By the members of the task. */
  faults: Record<string, string>
}

export function TaskFields({ fields, change, faults }: Props) {
  return (
    <>
      <Field
        label="Title"
        autoComplete="off"
        value={fields.title}
        onChange={(event) => change({ title: event.target.value })}
        fault={faults.title}
      />
      <TextField
        label="Notes"
        rows={3}
        value={fields.description}
        onChange={(event) => change({ description: event.target.value })}
        fault={faults.description}
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
      <Field
        label="Tags"
        autoComplete="off"
        placeholder="home, garden"
        hint="Separated by commas."
        value={fields.tags}
        onChange={(event) => change({ tags: event.target.value })}
        fault={faults.tags}
      />
    </>
  )
}
