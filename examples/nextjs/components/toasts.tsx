'use client'

// Short messages at the bottom of the screen. Screen readers read them out; some have a button.

import { type ReactNode, createContext, useCallback, useContext, useEffect, useMemo, useRef, useState } from 'react'

import { useOnline } from '@/lib/connection'
import { explain } from '@/lib/failures'

import { Icon } from './icons'

interface Toast {
  text: string
  /** Why it failed. This is put into words while the message is shown, so that it does not say "offline" for too long. */
  error?: unknown
  action?: { label: string; run: () => void }
}

const Toasts = createContext<{ show: (toast: Toast) => void } | undefined>(undefined)

export function useToasts() {
  const toasts = useContext(Toasts)
  if (!toasts) throw new Error('useToasts needs a ToastProvider around it')
  return toasts
}

/** How long a message stays, in milliseconds. Under the pointer or with the focus it stays longer. */
const lifetime = 8000

export function ToastProvider({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<(Toast & { key: number })[]>([])
  const count = useRef(0)
  const show = useCallback((toast: Toast) => {
    count.current += 1
    const key = count.current
    // A new message replaces those without a button or an error.
    setToasts((others) => [...others.filter(({ action, error }) => action || error).slice(-2), { ...toast, key }])
  }, [])
  const value = useMemo(() => ({ show }), [show])
  return (
    <Toasts value={value}>
      {children}
      <section className="toasts" aria-label="Messages" aria-live="polite">
        {toasts.map(({ key, ...toast }) => (
          <ToastCard key={key} {...toast} close={() => setToasts((all) => all.filter((other) => other.key !== key))} />
        ))}
      </section>
    </Toasts>
  )
}

function ToastCard({ text, error, action, close }: Toast & { close: () => void }) {
  const online = useOnline()
  const [held, setHeld] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  const closing = useRef(close)
  useEffect(() => {
    closing.current = close
  })
  useEffect(() => {
    // After a deletion by keyboard the focus is nowhere. The most likely next step is to undo it.
    if (action && document.activeElement === document.body) button.current?.focus()
  }, [action])
  useEffect(() => {
    if (held) return
    const timer = setTimeout(() => closing.current(), lifetime)
    return () => clearTimeout(timer)
  }, [held])

  return (
    <div
      className={error ? 'toast failure' : 'toast'}
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={(event) => setHeld(event.target.matches(':focus-visible'))}
      onBlur={() => setHeld(false)}
    >
      <p>
        {text} {error ? explain(error, online) : ''}
      </p>
      {action && (
        <button
          ref={button}
          className="button quiet"
          onClick={() => {
            action.run()
            close()
          }}
        >
          {action.label}
        </button>
      )}
      <button className="button quiet round" aria-label="Dismiss" onClick={close}>
        <Icon name="close" />
      </button>
    </div>
  )
}
