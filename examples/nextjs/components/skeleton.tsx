/** In place of a list that is loading. */
export function Skeleton() {
  return (
    <div className="tasks skeleton" role="status" aria-label="Loading your tasks">
      {Array.from({ length: 5 }, (_, index) => (
        <div className="task" key={index}>
          <i className="disc" />
          <i className="bar" />
        </div>
      ))}
    </div>
  )
}
