using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>
/// The Segment Anything Model (Kirillov et al., arXiv 2304.02643), and MobileSAM (Zhang et al., arXiv 2306.14289), which has a smaller
/// encoder: an image is encoded once; prompts then give masks in little time. Reference implementations:
/// facebookresearch/segment-anything, Hugging Face's SAM, ChaoningZhang/MobileSAM.
/// </summary>
/// <remarks>Built without values: load a checkpoint, or call <see cref="Initialize"/>.</remarks>
internal sealed class SamNetwork : nn.Module, INetwork<SamConfig, SamNetwork>
{
    private readonly nn.Module<Tensor, Tensor> image_encoder;
    private readonly SamPromptEncoder prompt_encoder;
    private readonly SamMaskDecoder mask_decoder;

    public SamNetwork(SamConfig config) : base(nameof(SamNetwork))
    {
        Config = config.Validate();
        image_encoder = config.Vision is { } vision ? new SamImageEncoder(vision) : new TinyVitEncoder(config.TinyVit!);
        prompt_encoder = new(config);
        mask_decoder = new(config);
        RegisterComponents();
    }

    public SamConfig Config { get; }

    public static SamNetwork Create(SamConfig config, Generator? generator = null) => new(config);

    public SamPromptEncoder Prompts => prompt_encoder;

    /// <summary>Preprocessed and padded images [B, 3, S, S] to image embeddings [B, C, H, W].</summary>
    public Tensor Encode(Tensor pixels, Trace? trace = null) => image_encoder is SamImageEncoder encoder ? encoder.forward(pixels, trace) : image_encoder.forward(pixels);

    /// <summary>Masks for prompts about one image.</summary>
    /// <param name="image">The image embedding, [1, C, H, W]; or one for each prompt, [P, C, H, W].</param>
    /// <param name="prompts">P prompts.</param>
    /// <param name="trace">See <see cref="SamMaskDecoder.forward"/>.</param>
    /// <returns>Logits of masks [P, masks, 4 H, 4 W] and their predicted IoU [P, masks]; the first mask is for clear prompts, the others are for ambiguous ones.</returns>
    public (Tensor Masks, Tensor Iou) Decode(Tensor image, SamPromptTensors prompts, Trace? trace = null)
    {
        using var scope = NewDisposeScope();
        var sparse = prompt_encoder.Sparse(prompts.Points, prompts.Labels, prompts.Boxes);
        var dense = prompt_encoder.Dense(prompts.Masks);
        var (masks, iou) = mask_decoder.forward(image.Add(dense), prompt_encoder.ImagePositions(), sparse, trace);
        return (masks.MoveToOuterDisposeScope(), iou.MoveToOuterDisposeScope());
    }

    /// <summary>Draws every weight.</summary>
    public SamNetwork Initialize(Generator generator)
    {
        switch (image_encoder)
        {
            case SamImageEncoder encoder:
                encoder.Initialize(generator);
                break;
            case TinyVitEncoder encoder:
                encoder.Initialize(generator);
                break;
        }
        prompt_encoder.Initialize(generator);
        mask_decoder.Initialize(generator);
        return this;
    }
}

/// <summary>P prompts in pixels of the padded image; see <see cref="SamPromptEncoder"/> for the shapes.</summary>
internal sealed record SamPromptTensors(Tensor? Points = null, Tensor? Labels = null, Tensor? Boxes = null, Tensor? Masks = null);
