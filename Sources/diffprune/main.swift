print("diffprune")
