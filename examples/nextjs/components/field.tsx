import { type ComponentProps, type ReactNode, useId } from 'react'

interface Props {
  label: string
  hint?: string | undefined
  /** What the server says is wrong with it. */
  fault?: string | undefined
}

/** A labelled input, with what is wrong with it where assistive technology finds it. */
export function Field({ label, hint, fault, ...input }: Props & ComponentProps<'input'>) {
  return (
    <Labelled {...{ label, hint, fault }}>
      {(attributes) => <input className="input" {...attributes} {...input} />}
    </Labelled>
  )
}

export function TextField({ label, hint, fault, ...input }: Props & ComponentProps<'textarea'>) {
  return (
    <Labelled {...{ label, hint, fault }}>
      {(attributes) => <textarea className="input" {...attributes} {...input} />}
    </Labelled>
  )
}

export function SelectField({ label, hint, fault, ...input }: Props & ComponentProps<'select'>) {
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

function Labelled({ label, hint, fault, children }: Props & { children: (attributes: Attributes) => ReactNode }) {
  const id = useId()
  const note = fault ?? hint
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, 'aria-invalid': fault !== undefined, 'aria-describedby': note && `${id}-note` })}
      {note && (
        <p id={`${id}-note`} className={fault ? 'fault' : 'hint'}>
          {note}
        </p>
      )}
    </div>
  )
}
