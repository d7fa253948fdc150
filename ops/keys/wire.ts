/**
 * Reads the binary form of an SSH public key (RFC 4251 section 5: strings and multiple-precision integers, each with a
 * length of four bytes before it). Every method throws a RangeError when the bytes end too early.
 */
export class WireReader {
  private offset = 0;

  constructor(private readonly bytes: Buffer) {}

  string(): Buffer {
    const start = this.offset + 4;
    if (start > this.bytes.length) throw new RangeError("the key data ends too early");
    const end = start + this.bytes.readUInt32BE(this.offset);
    if (end > this.bytes.length) throw new RangeError("the key data ends too early");
    this.offset = end;
    return this.bytes.subarray(start, end);
  }

  /** A positive integer as bytes, without the leading zero that keeps it positive. */
  positiveInteger(): Buffer {
    const bytes = this.string();
    if (bytes.length === 0 || (bytes[0]! & 0x80) !== 0) throw new RangeError("the key data holds no positive number");
    if (bytes[0] === 0 && (bytes.length === 1 || (bytes[1]! & 0x80) === 0)) {
      throw new RangeError("the key data holds a number with needless zeros");
    }
    return bytes[0] === 0 ? bytes.subarray(1) : bytes;
  }

  end(): void {
    if (this.offset !== this.bytes.length) throw new RangeError("the key data goes on after its end");
  }
}
