using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>A grid of tokens that is cut into square windows, after a cyclic shift where it is a shifted one. Edges are padded with zeros.</summary>
/// <param name="Height">Rows of tokens.</param>
/// <param name="Width">Tokens in a row.</param>
/// <param name="Window">The side of a window in tokens.</param>
/// <param name="Shift">How far the windows lie down and to the right of the grid's corner.</param>
internal readonly record struct WindowGrid(int Height, int Width, int Window, int Shift)
{
    private int Rows => (Height + Window - 1) / Window;

    private int Columns => (Width + Window - 1) / Window;

    private int PaddedHeight => Rows * Window;

    private int PaddedWidth => Columns * Window;

    /// <summary>Tokens [B, H, W, D] to windows [B n, T, D], T tokens of each of n windows row by row.</summary>
    public Tensor Partition(Tensor x)
    {
        var (batch, channels) = (x.shape[0], x.shape[3]);
        if (PaddedHeight > Height || PaddedWidth > Width)
            x = F.pad(x, [0, 0, 0, PaddedWidth - Width, 0, PaddedHeight - Height]);     // [B, H', W', D]
        if (Shift > 0)
            x = x.roll([-Shift, -Shift], [1, 2]);
        return x.reshape(batch, Rows, Window, Columns, Window, channels)
            .permute(0, 1, 3, 2, 4, 5)                                                  // [B, rows, columns, window, window, D]
            .reshape(-1, Window * Window, channels);
    }

    /// <summary>Windows [B n, T, D] back to tokens [B, H, W, D].</summary>
    public Tensor Merge(Tensor windows)
    {
        var channels = windows.shape[2];
        var x = windows.reshape(-1, Rows, Columns, Window, Window, channels)
            .permute(0, 1, 3, 2, 4, 5)                                                  // [B, rows, window, columns, window, D]
            .reshape(-1, PaddedHeight, PaddedWidth, channels);
        if (Shift > 0)
            x = x.roll([Shift, Shift], [1, 2]);
        return PaddedHeight > Height || PaddedWidth > Width ? x.narrow(1, 0, Height).narrow(2, 0, Width) : x;
    }

    /// <summary>
    /// [n, 1, T, T], to be added to attention scores: 0 for tokens that were neighbors before the shift, and <paramref name="hidden"/>
    /// for those that the shift alone brought into one window. Null without a shift.
    /// </summary>
    /// <remarks>Built anew in each pass: it is small beside the scores of a batch, and so nothing is shared between threads or with inference mode.</remarks>
    public Tensor? ShiftMask(Device device, double hidden)
    {
        if (Shift == 0)
            return null;
        var (rows, columns) = (Regions(PaddedHeight), Regions(PaddedWidth));
        var regions = tensor(rows).unsqueeze(1).Mul(3).Add(tensor(columns))          // [H', W']
            .view(Rows, Window, Columns, Window)
            .permute(0, 2, 1, 3)
            .reshape(-1, Window * Window);                                              // [n, T]
        return regions.unsqueeze(1).ne(regions.unsqueeze(2)).to(ScalarType.Float32).Mul(hidden)
            .unsqueeze(1)                                                               // [n, 1, T, T]
            .to(device);
    }

    // Which of the three bands a row or column lies in: before the last window, or on either side of the seam in it.
    private int[] Regions(int length)
    {
        var (window, shift) = (Window, Shift);
        return [.. Enumerable.Range(0, length).Select(i => i < length - window ? 0 : i < length - shift ? 1 : 2)];
    }
}
