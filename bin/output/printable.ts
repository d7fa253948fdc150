/** Control characters, and those that are not seen or turn the direction of the text around. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Text that a stranger wrote, for a terminal or a table: what is not seen becomes `\u{1b}`. */
export function printable(text: string): string {
  return text.replace(INVISIBLE, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/** A JSON document that is safe on a terminal, too. It says the same: only its spelling is another. */
export function printableJson(document: unknown): string {
  return JSON.stringify(document).replace(INVISIBLE, (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}
