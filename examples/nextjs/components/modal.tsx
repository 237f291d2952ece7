'use client'

import { type ReactNode, useId, useLayoutEffect, useRef } from 'react'

import { Icon } from './icons'

interface ModalProps {
  label: string
  /** Whether the focus is in the first input, instead of the heading. */
  typesAtOnce?: boolean
  close: () => void
  children: ReactNode
}

/** The browser keeps the focus inside, closes the dialog on Escape, and returns the focus. */
export function Modal({ label, typesAtOnce = false, close, children }: ModalProps) {
  const id = useId()
  const dialog = useRef<HTMLDialogElement>(null)
  const heading = useRef<HTMLHeadingElement>(null)
  // A layout effect is cleaned up before the element is removed. Closing only returns the focus before that.
  useLayoutEffect(() => {
    const element = dialog.current
    element?.showModal()
    // A new task is typed at once. What there is to read is read first, and on a phone the keyboard would cover it.
    const first = typesAtOnce ? element?.querySelector('input') : heading.current
    first?.focus()
    return () => element?.close()
  }, [typesAtOnce])
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault()
        close()
      }}
      onPointerDown={(event) => event.target === event.currentTarget && close()}
    >
      <div className="sheet">
        <header>
          <h2 id={id} ref={heading} tabIndex={-1}>
            {label}
          </h2>
          <button className="button quiet round" aria-label="Close" onClick={close}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  )
}
