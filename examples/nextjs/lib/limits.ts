// The limits of Taskward, from its OpenAPI document. For server components: the document is too large for the browser,
// which gets these few numbers with the page.

import document from 'taskward-client/openapi.json'

const { title, description } = document.components.schemas.NewTask.properties

/** The most characters (Unicode code points) that a text may have. */
export const limits = { title: title.maxLength, description: description.maxLength }

export type Limits = typeof limits
