using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp;
using static TorchSharp.torch;
using LayerNorm = TorchSharp.Modules.LayerNorm;
using Parameter = TorchSharp.Modules.Parameter;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>CLIP's text tower: a transformer over tokens, of which one stands for the text.</summary>
/// <remarks>Built without values: load a checkpoint, or call <see cref="Initialize"/>.</remarks>
internal sealed class ClipTextNetwork : nn.Module<Tensor, Tensor>, INetwork<ClipTextConfig, ClipTextNetwork>
{
    private static readonly Scalar s_zero = 0, s_hidden = double.NegativeInfinity;    // kept, see TensorArithmetic

    private readonly Scalar _endToken;
    private readonly Parameter token_embed, pos_embed;
    private readonly Transformer blocks;
    private readonly LayerNorm norm;
    private readonly Linear? proj;

    public ClipTextNetwork(ClipTextConfig config, Generator? generator = null) : base(nameof(ClipTextNetwork))
    {
        Config = config.Validate();
        _endToken = config.EndToken;
        token_embed = Parameters.Empty(config.VocabularySize, config.Width);
        pos_embed = Parameters.Empty(config.Positions, config.Width);
        blocks = new(config.Transformer, generator);
        norm = Parameters.LayerNorm(config.Width, config.NormEps);
        proj = config.EmbeddingSize > 0 ? new(config.Width, config.EmbeddingSize, config.ProjectionBias) : null;
        RegisterComponents();
    }

    public ClipTextConfig Config { get; }

    public static ClipTextNetwork Create(ClipTextConfig config, Generator? generator = null) => new(config, generator);

    /// <inheritdoc cref="Transformer.GradientCheckpointing"/>
    public bool GradientCheckpointing { get => blocks.GradientCheckpointing; set => blocks.GradientCheckpointing = value; }

    /// <summary>Vectors [B, E] of texts [B, T], not normalized; without a projection [B, D].</summary>
    public override Tensor forward(Tensor ids) => forward(ids, null);

    /// <param name="ids">The numbers of the tokens [B, T], int64; at most <see cref="ClipTextConfig.Positions"/> of them.</param>
    /// <param name="trace">Takes <c>hidden_states.i</c>, <c>attentions.i</c>, <c>last_hidden_state</c> and <c>pooled</c> where it wants them.</param>
    /// <param name="mask">Which tokens are not padding, [B, T], where that matters: the vector of a text of a causal tower does not depend on what follows its end.</param>
    public Tensor forward(Tensor ids, Trace? trace, Tensor? mask = null) => FromEmbeddings(Embed(ids), ids, trace, mask);

    /// <summary>The vectors [B, T, D] of tokens [B, T], without positions.</summary>
    public Tensor Embed(Tensor ids) => token_embed.index_select(0, ids.flatten()).view(ids.shape[0], ids.shape[1], -1);

    /// <summary>A network that knows further tokens, in whose place this one goes.</summary>
    /// <param name="first">The number of the first.</param>
    /// <param name="vectors">Their vectors, [n, D].</param>
    /// <param name="end">The end token, which then has the highest number no longer.</param>
    public ClipTextNetwork WithTokens(int first, Tensor vectors, int end)
    {
        var config = Config with { VocabularySize = Math.Max(Config.VocabularySize, first + (int)vectors.shape[0]) };
        var network = new ClipTextNetwork(config.Pooling == ClipTextPooling.HighestToken ? config with { Pooling = ClipTextPooling.EndToken, EndToken = end } : config);
        network.to(token_embed.dtype);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var own = state_dict();
        foreach (var (name, weight) in network.state_dict())
            (name == nameof(token_embed) ? weight.narrow(0, 0, Config.VocabularySize) : weight).copy_(own[name]);
        network.token_embed.narrow(0, first, vectors.shape[0]).copy_(vectors);
        network.train(training);
        return network;
    }

    /// <summary>Goes on from tokens' vectors, which need not be those of <paramref name="ids"/>: these tell where the text ends.</summary>
    public Tensor FromEmbeddings(Tensor embeddings, Tensor ids, Trace? trace = null, Tensor? mask = null)
    {
        if (ids.shape[1] > Config.Positions)
            throw new ArgumentException($"A text has {ids.shape[1]} tokens; the text tower takes {Config.Positions}.", nameof(ids));
        using var scope = NewDisposeScope();
        var x = embeddings.Add(pos_embed.narrow(0, 0, ids.shape[1]));          // [B, T, D]
        x = blocks.forward(x, mask is null ? null : HidePadding(mask), trace);
        x = norm.forward(x);
        trace?.Add("last_hidden_state", x);
        x = Pool(x, ids);                                                       // [B, D]
        trace?.Add("pooled", x);
        return (proj?.forward(x) ?? x).MoveToOuterDisposeScope();               // [B, E]
    }

    /// <summary>What a diffusion model reads of texts: the vectors of all tokens, padding among them, and that of the whole text.</summary>
    /// <param name="ids">The numbers of the tokens [B, T], int64.</param>
    /// <param name="skippedBlocks">The last blocks that tokens do not go through ("CLIP skip"); the text's vector goes through all.</param>
    /// <param name="norm">Whether the tokens go through the last norm.</param>
    /// <returns>[B, T, D] and [B, E].</returns>
    /// <exception cref="ArgumentOutOfRangeException">The tower has no more blocks than are to be skipped.</exception>
    public (Tensor Tokens, Tensor Text) Read(Tensor ids, int skippedBlocks = 0, bool norm = true)
    {
        if (skippedBlocks < 0 || skippedBlocks >= Config.Depth)
            throw new ArgumentOutOfRangeException(nameof(skippedBlocks), skippedBlocks, $"Of the text tower's {Config.Depth} blocks 0 to {Config.Depth - 1} can be skipped.");
        using var scope = NewDisposeScope();
        var tokens = $"hidden_states.{Config.Depth - skippedBlocks}";
        using var trace = new Trace(tokens);
        var text = forward(ids, trace);
        return ((norm ? this.norm.forward(trace[tokens]) : trace[tokens].alias()).MoveToOuterDisposeScope(), text.MoveToOuterDisposeScope());
    }

    /// <summary>Draws every weight, positions and tokens as CLIP's own code does.</summary>
    public ClipTextNetwork Initialize(Generator generator)
    {
        Initialization.Fill(this, 1 / Math.Sqrt(Config.Width), generator);
        Initialization.Normal(token_embed, 0.02, generator);
        Initialization.Normal(pos_embed, 0.01, generator);
        return this;
    }

    private Tensor Pool(Tensor x, Tensor ids)
    {
        if (Config.Pooling == ClipTextPooling.LastPosition)
            return x.select(1, -1);
        var ends = Config.Pooling == ClipTextPooling.HighestToken ? ids : ids.eq(_endToken).to(ScalarType.Int32);
        return x.gather(1, ends.argmax(1).view(-1, 1, 1).expand(-1, 1, x.shape[2])).squeeze(1);
    }

    private static Tensor HidePadding(Tensor mask) =>                           // [B, T] -> [B, 1, 1, T]
        zeros_like(mask, ScalarType.Float32).masked_fill(mask.eq(s_zero), s_hidden).view(mask.shape[0], 1, 1, -1);
}
