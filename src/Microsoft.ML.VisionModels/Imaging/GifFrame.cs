using System.Buffers.Binary;

namespace Microsoft.ML.VisionModels.Imaging;

/// <summary>
/// What Pillow's <c>convert("RGB")</c> makes of a GIF's first frame and other decoders do not: pixels of the transparent index have the
/// color that the palette gives it, and what lies around a frame that is smaller than the image has that color too, or the palette's first.
/// </summary>
internal sealed class GifFrame
{
    private readonly int _left, _top, _right, _bottom;
    private readonly byte[] _around;    // a color
    private readonly List<int> _flags;  // where the file says that an index is transparent

    private GifFrame(ReadOnlySpan<byte> descriptor, ReadOnlySpan<byte> palette, int? transparent, List<int> flags)
    {
        (_left, _top) = (Short(descriptor), Short(descriptor[2..]));
        (_right, _bottom) = (_left + Short(descriptor[4..]), _top + Short(descriptor[6..]));
        _flags = flags;
        var index = transparent ?? 0;
        _around = 3 * index + 3 <= palette.Length ? palette.Slice(3 * index, 3).ToArray() : [(byte)index, (byte)index, (byte)index];
        IsGray = true;
        for (var i = 0; i < palette.Length; i++)
            IsGray &= palette[i] == i / 3;
    }

    /// <summary>Whether the palette's colors are their own numbers, or there is none: Pillow then has a gray image, and else one with a palette.</summary>
    public bool IsGray { get; }

    /// <summary>The bytes that the frame takes at least: a code of 12 bits is the largest, and stands for 4,096 pixels at most.</summary>
    public long FewestBytes => (long)(_right - _left) * (_bottom - _top) / 4096 * 12 / 8;

    /// <summary>The first frame of a GIF; null of other files, and of those that end before it.</summary>
    public static GifFrame? Of(ReadOnlySpan<byte> file)
    {
        if (file.Length < 13 || !(file.StartsWith("GIF87a"u8) || file.StartsWith("GIF89a"u8)))
            return null;
        var palette = Palette(file, at: 13, file[10]);
        List<int> flags = [];
        int? transparent = null;
        for (var at = 13 + palette.Length; at + 10 <= file.Length;)
        {
            if (file[at] == ',')
            {
                var own = Palette(file, at + 10, file[at + 9]);
                return new(file[(at + 1)..], own.IsEmpty ? palette : own, transparent, flags);
            }
            if (file[at] != '!')
            {
                at++;       // as Pillow does
                continue;
            }
            if (file[at + 1] == 0xf9 && file[at + 2] >= 4 && (file[at + 3] & 1) != 0)
            {
                flags.Add(at + 3);
                transparent = file[at + 6];
            }
            at += 2;
            while (at < file.Length && file[at] != 0)
                at += 1 + file[at];
            at++;
        }
        return null;
    }

    /// <summary>The file without transparency.</summary>
    public byte[] WithoutTransparency(ReadOnlySpan<byte> file)
    {
        var opaque = file.ToArray();
        foreach (var flag in _flags)
            opaque[flag] &= 0xfe;
        return opaque;
    }

    /// <summary>Gives what the frame does not cover its color.</summary>
    public void FillAround(RgbImage image)
    {
        var (left, right) = (Math.Min(_left, image.Width), Math.Min(_right, image.Width));
        for (var y = 0; y < image.Height; y++)
        {
            var row = image.Row(y);
            var covered = y >= _top && y < _bottom;
            Fill(covered ? row[..(3 * left)] : row);
            if (covered)
                Fill(row[(3 * right)..]);
        }
    }

    private void Fill(Span<byte> pixels)
    {
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = _around[i % 3];
    }

    private static ReadOnlySpan<byte> Palette(ReadOnlySpan<byte> file, int at, byte flags)
    {
        var length = (flags & 0x80) == 0 ? 0 : 3 << ((flags & 7) + 1);
        return at > file.Length ? [] : file.Slice(at, Math.Min(length, file.Length - at));
    }

    private static int Short(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt16LittleEndian(bytes);
}
