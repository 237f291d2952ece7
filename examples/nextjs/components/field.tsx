import { type ComponentProps, type ReactNode, useId } from 'react'

import { lengthOf } from '@/lib/length'

export interface FieldProps {
  label: string
  hint?: string | undefined
  /** What the server says is wrong with the value. */
  fault?: string | undefined
  /** The most characters that the server accepts. Nothing is cut: near the limit, the room that is left is shown. */
  limit?: number | undefined
}

/** A labelled input. What is wrong with it stands where assistive technology finds it. */
export function Field({ label, hint, fault, limit, ...input }: FieldProps & ComponentProps<'input'>) {
  return (
    <Labelled {...{ label, hint, fault, limit }} text={input.value}>
      {(attributes) => <input className="input" {...attributes} {...input} />}
    </Labelled>
  )
}

export function TextField({ label, hint, fault, limit, ...input }: FieldProps & ComponentProps<'textarea'>) {
  return (
    <Labelled {...{ label, hint, fault, limit }} text={input.value}>
      {(attributes) => <textarea className="input" {...attributes} {...input} />}
    </Labelled>
  )
}

export function SelectField({ label, hint, fault, ...input }: FieldProps & ComponentProps<'select'>) {
  return (
    <Labelled {...{ label, hint, fault }}>
      {(attributes) => <select className="input" {...attributes} {...input} />}
    </Labelled>
  )
}

interface Attributes {
  id: string
  'aria-invalid': boolean
  'aria-describedby': string | undefined
}

interface LabelledProps extends FieldProps {
  text?: unknown
  children: (attributes: Attributes) => ReactNode
}

export function Labelled({ label, hint, fault, limit, text, children }: LabelledProps) {
  const id = useId()
  const length = limit === undefined ? undefined : lengthOf(String(text ?? ''), limit)
  const wrong = fault ?? (length?.tooLong ? length.text : undefined)
  const note = wrong ?? length?.text ?? hint
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, 'aria-invalid': wrong !== undefined, 'aria-describedby': note && `${id}-note` })}
      {note && (
        <p id={`${id}-note`} className={wrong ? 'fault' : 'hint'}>
          {note}
        </p>
      )}
    </div>
  )
}
