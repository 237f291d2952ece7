'use client'

export default function ErrorPage({ reset }: { reset: () => void }) {
  return (
    <main className="account">
      <div className="card">
        <h1>This page could not be made</h1>
        <p>Something on the server failed. What you have typed is kept.</p>
        <button className="button primary" onClick={reset}>
          Try again
        </button>
      </div>
    </main>
  )
}
