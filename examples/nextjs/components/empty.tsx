/** In place of a list without tasks. */
export function Empty({ narrowed }: { narrowed: boolean }) {
  return (
    <div className="empty">
      <svg viewBox="0 0 120 84" aria-hidden="true">
        <rect x="18" y="10" width="84" height="64" rx="10" />
        <path d="M34 30l5 5 9-10M58 30h28M34 54l5 5 9-10M58 54h20" />
      </svg>
      <h2>{narrowed ? 'Nothing matches' : 'Nothing to do'}</h2>
      <p className="muted">{narrowed ? 'Try another word, or clear the filters.' : 'Add your first task above.'}</p>
    </div>
  )
}
