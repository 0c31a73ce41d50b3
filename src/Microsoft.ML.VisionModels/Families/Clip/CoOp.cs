using Microsoft.ML.VisionModels.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>
/// Context optimization: "Learning to Prompt for Vision-Language Models" (arXiv 2109.01134). A class is the text of some learned vectors,
/// the same for all classes, its name and a full stop. The text tower stays as it is.
/// </summary>
internal sealed class CoOp : nn.Module
{
    /// <summary>The name of what learns, which weight decay spares as it does all tokens.</summary>
    public const string ContextName = nameof(context);

    private const double InitialStd = 0.02;

    private readonly Parameter context;     // [M, D]
    private readonly ClipTextNetwork _text;
    private readonly Tensor _ids;           // [C, P]: start, M places, the name, a full stop, end
    private readonly Tensor _embeddings;    // [C, P, D] of these

    /// <exception cref="ArgumentException">The learned vectors leave no room for a name.</exception>
    public CoOp(ClipTextNetwork text, ClipTokenizer tokenizer, IReadOnlyList<string> labels, int contextTokens, Device device, Generator generator) : base(nameof(CoOp))
    {
        if (contextTokens + 3 > text.Config.Positions)
            throw new ArgumentException($"ContextTokens is {contextTokens}, but the text tower takes {text.Config.Positions} tokens, with those of the name and at both ends.");
        _text = text;
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var start = empty(contextTokens, text.Config.Width);
        Initialization.Normal(start, InitialStd, generator);
        context = new Parameter(start.to(device).DetachFromDisposeScope());
        register_parameter(ContextName, context);   // not the text tower, which does not learn

        // Any one-token word keeps the places of the vectors.
        var places = string.Concat(Enumerable.Repeat("x ", contextTokens));
        _ids = ClipTexts.Ids(tokenizer, [.. labels.Select(label => $"{places}{ClipTemplates.Words(label)}.")], text.Config).to(device).DetachFromDisposeScope();
        _embeddings = text.Embed(_ids).DetachFromDisposeScope();
    }

    /// <summary>The classes' vectors of length 1, [C, E].</summary>
    public Tensor Classes()
    {
        var count = context.shape[0];
        var learned = context.unsqueeze(0).expand(_ids.shape[0], -1, -1);
        var embeddings = cat([_embeddings.narrow(1, 0, 1), learned, _embeddings.narrow(1, 1 + count, _embeddings.shape[1] - 1 - count)], 1);
        return ClipNetwork.Normalize(_text.FromEmbeddings(embeddings, _ids));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _ids.Dispose();
            _embeddings.Dispose();
        }
        base.Dispose(disposing);
    }
}
