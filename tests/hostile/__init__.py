"""Files made to do harm, each with the words that its refusal must hold."""
