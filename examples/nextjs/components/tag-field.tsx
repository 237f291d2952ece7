'use client'

import { type KeyboardEvent, useState } from 'react'

import type { Fields } from '@/lib/fields'
import { mergeTags, readTags } from '@/lib/tags'

import { type FieldProps, Labelled } from './field'
import { Icon } from './icons'

type Tags = Pick<Fields, 'tags' | 'tagText'>

interface Props extends Pick<FieldProps, 'fault'>, Tags {
  change: (changes: Partial<Tags>) => void
}

/** Finished tags with a button to remove each, and a field for more. What is not finished is saved too. */
export function TagField({ tags, tagText, change, fault }: Props) {
  const [repeated, setRepeated] = useState<string[]>([])

  /** Makes tags of all of `text` but `rest`. */
  function finish(text: string, rest: string) {
    const merged = mergeTags(tags, readTags(text))
    setRepeated(merged.repeated)
    change({ tags: merged.tags, tagText: rest })
  }

  function type(text: string) {
    const end = Math.max(text.lastIndexOf(','), text.lastIndexOf('，'))
    if (end >= 0) return finish(text.slice(0, end), text.slice(end + 1).trimStart())
    setRepeated([])
    change({ tagText: text })
  }

  function press(event: KeyboardEvent) {
    if (event.nativeEvent.isComposing) return
    if (event.key === 'Enter' && tagText.trim() !== '') {
      event.preventDefault()
      finish(tagText, '')
    }
    if (event.key === 'Backspace' && tagText === '' && !event.repeat) change({ tags: tags.slice(0, -1) })
  }

  const hint = repeated.length > 0 ? `Already there: ${repeated.join(', ')}.` : 'Enter or a comma finishes a tag.'
  return (
    <Labelled label="Tags" hint={hint} fault={fault}>
      {(attributes) => (
        <div className="input tokens">
          {tags.map((tag) => (
            <span key={tag} className="token">
              #{tag}
              <button
                type="button"
                aria-label={`Remove the tag ${tag}`}
                onClick={() => change({ tags: tags.filter((other) => other !== tag) })}
              >
                <Icon name="close" />
              </button>
            </span>
          ))}
          <input
            {...attributes}
            autoComplete="off"
            autoCapitalize="none"
            enterKeyHint="done"
            placeholder={tags.length === 0 ? 'home, garden' : undefined}
            value={tagText}
            onChange={(event) => type(event.target.value)}
            onKeyDown={press}
          />
        </div>
      )}
    </Labelled>
  )
}
