// TanStack DB: a collection of tasks that shows changes at once, works offline and stays in step.

export { taskCollectionOptions } from './collection.js'
export type { TaskCollectionConfig, TaskCollectionOptions, TaskCollectionUtils } from './collection.js'
export type { Change } from './change.js'
export type { Refusal } from './outbox.js'
export { taskKey } from './rows.js'
export type { TaskInput, TaskSchema } from './rows.js'
export { webStorage } from './storage.js'
export type { OutboxStorage } from './storage.js'
