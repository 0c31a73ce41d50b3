using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>Looks at images, and answers prompts about them, while a call uses the network (reference: facebookresearch/segment-anything, SamPredictor).</summary>
internal sealed class SamPredictor(NetworkUse network, ImageProcessor processor)
{
    // What stands for the inside and the outside of a rough mask: about as sure as the network is of its own.
    private const float RoughLogit = 10;

    private SamNetwork Sam => network.As<SamNetwork>();

    public SamConfig Config => Sam.Config;

    /// <summary>
    /// How many prompts are best answered together. On a CPU few: each takes buffers of 4 and 8 MB, and those of more than 32 MB come fresh from
    /// the system each time, page by page.
    /// </summary>
    public int PromptsAtOnce => network.Device.type == TorchSharp.DeviceType.CPU ? 2 : 64;

    /// <summary>A published SAM, which becomes the caller's.</summary>
    public static (ScoringNetwork Network, ImageProcessor Processor) Open(string checkpoint, Precision precision, Device device, CheckpointWeights weights = CheckpointWeights.Trained)
    {
        var published = new SamModel().Open(checkpoint, weights);
        var processor = new ImageProcessor(published.Preprocessing(null, published.Config.ImageSize));
        return (new(published.Build(), device, precision), processor);
    }

    public SamImage Encode(RgbImage image)
    {
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var size = new ImageSize(image.Height, image.Width);
        var pixels = processor.ProcessBatch([image]).to(network.Type, network.Device);
        return new(size, processor.Settings.ResizedSize(size), TensorRows.ToRows(Sam.Encode(pixels))[0]);
    }

    /// <summary>The masks for each prompt, one or three.</summary>
    /// <exception cref="ArgumentException">A prompt says nothing, or nothing that can be meant in this image.</exception>
    public SamMask[][] Predict(SamImage image, IReadOnlyList<SamPrompt> prompts, SamMaskChoice choice)
    {
        foreach (var prompt in prompts)
            prompt.Validate(image.Size, Config.MaskSize);

        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var enlarger = new MaskEnlarger(Config.ImageSize, image.Resized, image.Size);
        var results = new SamMask[prompts.Count][];
        // Those of one kind have tensors of one shape.
        foreach (var kind in prompts.Index().GroupBy(entry => (entry.Item.Points.Count, entry.Item.Box is not null, entry.Item.Mask is not null || entry.Item.Logits is not null)))
        {
            foreach (var some in kind.Chunk(PromptsAtOnce))
            {
                using var inner = NewDisposeScope();
                var (masks, iou) = Decode(image, [.. some.Select(entry => entry.Item)]);
                var scores = TensorRows.ToRows(iou);
                for (var i = 0; i < some.Length; i++)
                    results[some[i].Index] = [.. Chosen(scores[i], choice, some[i].Item).Select(mask => Answer(masks[i, mask], scores[i][mask], enlarger))];
            }
        }
        return results;
    }

    /// <summary>Logits of all masks [P, masks, 4 H, 4 W] and their predicted IoU [P, masks] for prompts of one kind.</summary>
    public (Tensor Masks, Tensor Iou) Decode(SamImage image, IReadOnlyList<SamPrompt> prompts)
    {
        var (width, height) = ((double)image.Resized.Width / image.Size.Width, (double)image.Resized.Height / image.Size.Height);
        var (count, each) = (prompts.Count, prompts[0].Points.Count);
        var points = each == 0 ? null
            : tensor(prompts.SelectMany(prompt => prompt.Points).SelectMany(point => new[] { (float)(point.X * width), (float)(point.Y * height) }).ToArray(), [count, each, 2], device: network.Device);
        var labels = points is null ? null : tensor(prompts.SelectMany(prompt => prompt.Points).Select(point => point.IsForeground ? 1L : 0L).ToArray(), [count, each], device: network.Device);
        var boxes = prompts[0].Box is null ? null
            : tensor(prompts.Select(prompt => prompt.Box!.Value).SelectMany(box => new[] { (float)(box.Left * width), (float)(box.Top * height), (float)(box.Right * width), (float)(box.Bottom * height) }).ToArray(), [count, 4], device: network.Device);
        var masks = prompts[0].Mask is null && prompts[0].Logits is null ? null
            : tensor(prompts.SelectMany(prompt => prompt.Logits ?? Rough(prompt.Mask!, image)).ToArray(), [count, 1, Config.MaskSize, Config.MaskSize], device: network.Device).to(network.Type);
        var embedding = tensor(image.Embedding, [1, Config.Width, Config.Grid, Config.Grid], device: network.Device).to(network.Type);
        return Sam.Decode(embedding, new(points, labels, boxes, masks));
    }

    private static SamMask Answer(Tensor logits, float score, MaskEnlarger enlarger) =>
        new(enlarger.Enlarge(logits).Mask, score, logits.to(ScalarType.Float32, CPU).contiguous().data<float>().ToArray());

    private static IEnumerable<int> Chosen(float[] scores, SamMaskChoice choice, SamPrompt prompt) => choice switch
    {
        SamMaskChoice.Single => [0],
        SamMaskChoice.Three => Enumerable.Range(1, scores.Length - 1),
        _ when !prompt.IsAmbiguous => [0],
        _ => [Enumerable.Range(1, scores.Length - 1).MaxBy(mask => scores[mask])],
    };

    /// <summary>A mask as logits of the padded image.</summary>
    private float[] Rough(RunLengthMask mask, SamImage image)
    {
        var (pixels, side) = (mask.ToPixels(), Config.MaskSize);
        var (scaleX, scaleY) = (Config.ImageSize / (double)side * image.Size.Width / image.Resized.Width, Config.ImageSize / (double)side * image.Size.Height / image.Resized.Height);
        var logits = new float[side * side];
        for (var i = 0; i < logits.Length; i++)
        {
            var (x, y) = ((int)((i % side + 0.5) * scaleX), (int)((i / side + 0.5) * scaleY));
            logits[i] = x < mask.Width && y < mask.Height && pixels[y * mask.Width + x] != 0 ? RoughLogit : -RoughLogit;
        }
        return logits;
    }
}
