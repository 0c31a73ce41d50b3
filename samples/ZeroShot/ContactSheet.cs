using Microsoft.ML.Data;
using SkiaSharp;

namespace ZeroShotSample;

/// <summary>The images side by side, each with its answer, as a PNG.</summary>
internal static class ContactSheet
{
    private const int Columns = 8, Side = 120, Caption = 34, Gap = 10;

    public static void Write(IReadOnlyList<Answer> answers, string path)
    {
        var rows = (answers.Count + Columns - 1) / Columns;
        using var surface = SKSurface.Create(new SKImageInfo(Gap + Columns * (Side + Gap), Gap + rows * (Side + Caption + Gap)));
        var canvas = surface.Canvas;
        canvas.Clear(SKColors.White);
        using var word = new SKPaint { Color = new SKColor(17, 24, 39), TextSize = 15, IsAntialias = true };
        using var small = new SKPaint { Color = new SKColor(107, 114, 128), TextSize = 12, IsAntialias = true };
        using var bar = new SKPaint { Color = new SKColor(37, 99, 235) };
        for (var i = 0; i < answers.Count; i++)
        {
            var (left, top) = (Gap + i % Columns * (Side + Gap), Gap + i / Columns * (Side + Caption + Gap));
            Draw(canvas, answers[i].ImagePath, left, top);
            canvas.DrawRect(left, top + Side + 1, Side * answers[i].Confidence, 3, bar);
            canvas.DrawText(Shortened(answers[i].Prediction, word), left, top + Side + 19, word);
            canvas.DrawText($"{answers[i].Confidence:P0}", left, top + Side + 33, small);
        }
        using var image = surface.Snapshot();
        using var png = image.Encode(SKEncodedImageFormat.Png, quality: 100);
        using var file = File.Create(path);
        png.SaveTo(file);
    }

    /// <summary>The image in the middle of its square; tiny ones pixel by pixel.</summary>
    private static void Draw(SKCanvas canvas, string path, int left, int top)
    {
        using var bitmap = SKBitmap.Decode(path);
        if (bitmap is null)
            return;
        var scale = (float)Side / Math.Max(bitmap.Width, bitmap.Height);
        var (width, height) = (bitmap.Width * scale, bitmap.Height * scale);
        using var paint = new SKPaint { FilterQuality = scale > 2 ? SKFilterQuality.None : SKFilterQuality.High };
        canvas.DrawBitmap(bitmap, SKRect.Create(left + (Side - width) / 2, top + (Side - height) / 2, width, height), paint);
    }

    private static string Shortened(string text, SKPaint paint)
    {
        var length = (int)paint.BreakText(text, Side);
        return length < text.Length ? text[..Math.Max(0, length - 1)] + "…" : text;
    }
}
