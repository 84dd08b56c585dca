/** What a page needs to choose among renditions and to change from one to the next: a file of its own, imported when there are several. */
export { renditionRule } from '../core/rendition-rule.ts';
