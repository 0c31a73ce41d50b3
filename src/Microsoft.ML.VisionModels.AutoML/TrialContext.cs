using System.Runtime.CompilerServices;

namespace Microsoft.ML.VisionModels.AutoML;

/// <summary>
/// What the runner of a trial wants of the trainers that are made in the trial's context. AutoML hands a factory the context and the
/// parameters, and nothing else.
/// </summary>
internal static class TrialContext
{
    private static readonly ConditionalWeakTable<MLContext, Action<TrainerOptions>> s_wishes = [];

    public static void Wish(MLContext context, Action<TrainerOptions> attach) => s_wishes.AddOrUpdate(context, attach);

    public static Action<TrainerOptions> WishesOf(MLContext context) => s_wishes.TryGetValue(context, out var attach) ? attach : _ => { };
}
