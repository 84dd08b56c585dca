/** Whether a value is what a JSON Schema says: as much of it as docs/report.schema.json uses. Throws at a keyword it does not know. */
export function isValid(schema: Schema, value: unknown): boolean {
  return Object.entries(schema).every(([keyword, given]) => {
    const holds = KEYWORDS[keyword];
    if (holds === undefined) throw new Error(`no such keyword: ${keyword}`);
    return holds(given as never, value, schema);
  });
}

export type Schema = Readonly<Record<string, unknown>>;
type Holds = (given: never, value: unknown, schema: Schema) => boolean;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const typeOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);

const KEYWORDS: Readonly<Record<string, Holds>> = {
  $schema: () => true,
  title: () => true,
  description: () => true,
  type: (type: string, value) => typeOf(value) === type,
  enum: (words: unknown[], value) => words.includes(value),
  anyOf: (schemas: Schema[], value) => schemas.some((schema) => isValid(schema, value)),
  minimum: (min: number, value) => typeof value !== 'number' || value >= min,
  maximum: (max: number, value) => typeof value !== 'number' || value <= max,
  maxLength: (max: number, value) => typeof value !== 'string' || value.length <= max,
  items: (schema: Schema, value) => !Array.isArray(value) || value.every((item) => isValid(schema, item)),
  minItems: (min: number, value) => !Array.isArray(value) || value.length >= min,
  maxItems: (max: number, value) => !Array.isArray(value) || value.length <= max,
  minProperties: (min: number, value) => !isObject(value) || Object.keys(value).length >= min,
  maxProperties: (max: number, value) => !isObject(value) || Object.keys(value).length <= max,
  required: (keys: string[], value) => !isObject(value) || keys.every((key) => Object.hasOwn(value, key)),
  properties: (schemas: Record<string, Schema>, value) =>
    !isObject(value) ||
    Object.entries(schemas).every(([key, schema]) => !Object.hasOwn(value, key) || isValid(schema, value[key])),
  additionalProperties: (schema: Schema, value, { properties = {} }) =>
    !isObject(value) ||
    Object.entries(value).every(([key, item]) => key in (properties as object) || isValid(schema, item)),
};

/** The names of all properties in a schema. */
export function propertyNames(schema: unknown): Set<string> {
  const names = new Set<string>();
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if (isObject(node) && isObject(node.properties)) for (const name of Object.keys(node.properties)) names.add(name);
    Object.values(node).forEach(walk);
  };
  walk(schema);
  return names;
}
